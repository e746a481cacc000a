/** A browser as far as single sign-on needs one: cookies by host, redirects by hand. */
export interface Browser {
  get(url: string): Promise<Response>;
  /** Follows redirects until there is a page, or until `stop` says so of the next address. */
  follow(url: string, stop?: (url: string) => boolean): Promise<Visit>;
  /** Cookies of an origin, as a request sends them. */
  cookiesOf(url: string): string;
  setCookie(url: string, name: string, value: string): void;
}

export interface Visit {
  readonly url: string;
  readonly response: Response;
}

const MAX_REDIRECTS = 12;

export function openBrowser(): Browser {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string): Map<string, string> => {
    const { origin } = new URL(url);
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  };
  const cookiesOf = (url: string): string =>
    [...jarOf(url)].map(([name, value]) => `${name}=${value}`).join("; ");
  const get = async (url: string): Promise<Response> => {
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie: cookiesOf(url), accept: "text/html" },
    });
    for (const cookie of response.headers.getSetCookie()) keep(jarOf(url), cookie);
    return response;
  };
  return {
    get,
    cookiesOf,
    setCookie: (url, name, value) => void jarOf(url).set(name, value),
    async follow(url, stop = () => false) {
      let at = url;
      for (let count = 0; count < MAX_REDIRECTS; count++) {
        const response = await get(at);
        const location = response.headers.get("location");
        if (location === null) return { url: at, response };
        await response.body?.cancel();
        at = new URL(location, at).href;
        if (stop(at)) return { url: at, response };
      }
      throw new Error(`too many redirects, the last to ${at}`);
    },
  };
}

function keep(jar: Map<string, string>, cookie: string): void {
  const [pair = "", ...attributes] = cookie.split(";").map((part) => part.trim());
  const [name = "", ...value] = pair.split("=");
  const isGone = attributes.some((attribute) =>
    /^(?:max-age=0|expires=thu, 01 jan 1970.*)$/i.test(attribute),
  );
  if (isGone) jar.delete(name);
  else jar.set(name, value.join("="));
}
