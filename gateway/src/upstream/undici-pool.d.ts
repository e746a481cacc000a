declare module "undici/lib/dispatcher/pool.js" {
  import { Pool } from "undici";

  // eslint-disable-next-line import/no-default-export -- what the CommonJS file exports
  export default Pool;
}
