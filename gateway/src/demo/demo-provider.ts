import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import type { Provider } from "#providers/provider.ts";
import { EMBEDDINGS, chat } from "#providers/speeches.ts";

/** Never resolves (RFC 6761, 6.4): should a demo request ever reach a socket, it stays on this machine. */
const ORIGIN = "http://demo.turnpike.invalid";

const ROW: Provider = {
  label: "Turnpike demo (built in)",
  baseUrl: `${ORIGIN}/v1`,
  auth: { env: [], discover: () => ({ variable: "", authorize: () => ({}) }) },
  speaks: [chat()],
  embeddings: EMBEDDINGS,
  listsAllModels: true,
  cancelStopsBilling: true,
  checkPath: null,
};

/** The provider that is always there: it answers within the process and needs no key. */
export const DEMO_PROVIDER: ConfiguredProvider = {
  id: "demo",
  provider: ROW,
  variables: {},
  authorize: () => ({}),
  credentialId: "builtin:demo",
  origins: new Set([ORIGIN]),
  privateAddressAllowed: false,
};

/** Whether a request is for the built-in demo and not for the network. */
export const isDemoUrl = (url: URL): boolean => url.origin === ORIGIN;
