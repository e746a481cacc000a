import { bearer, firstOf } from "./auth.ts";
import { awsSigV4 } from "./aws-sigv4.ts";
import type { Provider, UrlTarget } from "./provider.ts";

export const BEDROCK = {
  label: "Amazon Bedrock",
  baseUrl: "https://bedrock-runtime.{region}.amazonaws.com",
  // No default: the region decides where prompts are processed.
  variables: { region: { env: ["BEDROCK_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"] } },
  baseUrlEnv: ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"],
  auth: firstOf(bearer("AWS_BEARER_TOKEN_BEDROCK"), awsSigV4("bedrock")),
  speaks: [
    {
      protocol: "bedrock-converse",
      dialect: {},
      path: ({ model, stream }: UrlTarget) =>
        `/model/${model}/${stream ? "converse-stream" : "converse"}`,
    },
  ],
  cancelStopsBilling: false,
  regions: [
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-3",
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-2",
    "sa-east-1",
  ],
  retention: {
    // The policy of the model applies, unless the account sets `data_retention_mode`.
    days: null,
    trainsOnApiData: null,
    zeroRetentionOffered: true,
    source: "https://docs.aws.amazon.com/bedrock/latest/userguide/data-retention.html",
    date: "2026-11-21",
  },
  // Listing models is another host and another permission.
  checkPath: null,
} as const satisfies Provider;
