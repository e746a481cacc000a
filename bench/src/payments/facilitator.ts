import { connectChain } from "../../../gateway/test/chain/start-chain.ts";
import { startFacilitator } from "../../../gateway/test/chain/start-facilitator.ts";

/** The official facilitator, as an operator sets one up; tells its URL. Arguments: a chain's URL and id. */
const [url = "", id = ""] = process.argv.slice(2);
const client = connectChain(url, Number(id));
const chain = { url, network: `eip155:${Number(id)}`, client } as const;
const facilitator = await startFacilitator([chain], { isPrepared: true });
process.send?.(facilitator.url);
process.once("disconnect", () => process.exit());
