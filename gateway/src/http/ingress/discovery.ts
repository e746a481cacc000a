import type { FastifyInstance } from "fastify";

import { GatewayError } from "#canonical/failure.ts";
import type { JsonObject } from "#lib/json.ts";
import { formatUsd } from "#lib/money.ts";
import { VERSION } from "#lib/version.ts";
import { inputSchemaOf, ROUTE_INPUTS, type RouteInput } from "#payments/route-inputs.ts";
import type { X402Settings } from "#payments/x402-settings.ts";

/** What is told of payments before anything is asked for. */
export type Offering = Pick<X402Settings, "origin" | "least" | "most" | "topUp">;

const TOP_UP = "/v1/x402/topup";

/** Adds what programs read to find out what there is here, and what it costs; `undefined`: payments are off. */
export function addDiscoveryRoutes(
  server: FastifyInstance,
  offering: () => Offering | undefined,
): void {
  server.get("/openapi.json", () => inferenceDocument(offering()));
  server.get("/.well-known/x402", () => {
    const offered = offering();
    if (offered === undefined) throw noPayments();
    const paths = [...Object.keys(ROUTE_INPUTS), TOP_UP];
    return { version: 1, resources: paths.map((path) => new URL(path, offered.origin).href) };
  });
  server.get("/llms.txt", (_request, reply) =>
    reply.type("text/plain; charset=utf-8").send(llmsText(offering())),
  );
}

const noPayments = (): GatewayError =>
  new GatewayError({
    code: "not_found",
    message:
      "This gateway takes no payments: it is used with a key. GET /openapi.json has its API.",
  });

interface Range {
  readonly least: bigint;
  readonly most: bigint;
}

const paymentInfo = ({ least, most }: Range) => ({
  protocols: ["x402"],
  pricingMode: "range",
  minPrice: formatUsd(least),
  maxPrice: formatUsd(most),
});

const REQUIRED = {
  description:
    "The price of exactly this body: x402 version 2 in the header PAYMENT-REQUIRED and beside the error.",
};

/** The inference API as an OpenAPI 3.1 document, and what each route costs where payments are on. */
function inferenceDocument(offered: Offering | undefined): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const [path, input] of Object.entries(ROUTE_INPUTS)) {
    paths[path] = { post: operationOf(input, offered) };
  }
  if (offered !== undefined) paths[TOP_UP] = { post: topUpOf(offered) };
  return {
    openapi: "3.1.0",
    info: {
      title: "Turnpike",
      version: VERSION,
      description: "Every AI model in the protocol of its client. GET /v1/models lists the models.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: offered?.origin.origin ?? "/" }],
    // An empty requirement: without a key, too.
    security: offered === undefined ? [{ key: [] }] : [{ key: [] }, {}],
    paths,
    components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
  };
}

const operationOf = (input: RouteInput, offered: Offering | undefined): JsonObject => ({
  summary: input.summary,
  requestBody: {
    required: true,
    content: { "application/json": { schema: inputSchemaOf(input), example: input.example } },
  },
  responses: { 200: { description: "As the API that it follows." }, ...paid(offered) },
  ...(offered !== undefined && { "x-payment-info": paymentInfo(offered) }),
});

const paid = (offered: Offering | undefined): JsonObject =>
  offered === undefined ? {} : { 402: REQUIRED };

const topUpOf = ({ topUp }: Offering): JsonObject => ({
  summary: "Credit for a wallet, or for the organization of a key",
  requestBody: {
    required: true,
    content: {
      "application/json": {
        schema: { type: "object", required: ["usd"], properties: { usd: { type: "string" } } },
        example: { usd: formatUsd(topUp.least) },
      },
    },
  },
  responses: { 200: { description: "The credit after it." }, 402: REQUIRED },
  "x-payment-info": paymentInfo(topUp),
});

function llmsText(offered: Offering | undefined): string {
  const lines = [
    "# Turnpike",
    "",
    "> A gateway to AI models that speaks the APIs of OpenAI, Anthropic and Gemini, streams included.",
    "",
    "- [OpenAPI](/openapi.json): what each route takes at least",
    "- [Models](/v1/models): those that a key may use",
    `- Routes: ${Object.keys(ROUTE_INPUTS).join(", ")}, /v1beta/models/<model>:generateContent`,
    "- Credential: `Authorization: Bearer <key>`, or `x-api-key`",
  ];
  if (offered === undefined) return `${lines.join("\n")}\n`;
  const { least, most, topUp } = offered;
  const range = ({ least: from, most: to }: Range): string =>
    `${formatUsd(from)} to ${formatUsd(to)} USD`;
  return `${[
    ...lines,
    "",
    "## Without a key",
    "",
    "Requests are paid for by themselves with x402 version 2, scheme exact, before the work is done.",
    "",
    `- Send the request without a key: 402 has the price of exactly this body (${range({ least, most })}) in PAYMENT-REQUIRED.`,
    "- Sign one of its offers and send the same request again with PAYMENT-SIGNATURE.",
    "- What the answer does not cost is credit of the wallet that paid: prove it by SIGN-IN-WITH-X to spend it first.",
    `- POST ${TOP_UP} with {"usd": "…"} adds credit (${range(topUp)}).`,
    "- At 503 payment_pending send the same PAYMENT-SIGNATURE again; do not sign a new one.",
    "- [Paid routes](/.well-known/x402)",
  ].join("\n")}\n`;
}
