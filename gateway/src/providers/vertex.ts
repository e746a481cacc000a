import { GOOGLE_ADC } from "./google-adc.ts";
import type { Provider, UrlTarget } from "./provider.ts";

/** Locations that are continents have hosts of their own, the global one has no prefix. */
function hostOf(location: string): string {
  if (location === "global") return "aiplatform.googleapis.com";
  if (location === "us" || location === "eu") return `aiplatform.${location}.rep.googleapis.com`;
  return `${location}-aiplatform.googleapis.com`;
}

interface PublisherModel {
  readonly version: string;
  readonly publisher: string;
  readonly verb: string;
}

function modelPath(target: UrlTarget, { version, publisher, verb }: PublisherModel): string {
  const project = target.variables["project"] ?? "";
  const location = target.variables["location"] ?? "";
  // Versions follow an `@`, which Google's own SDKs leave as it is.
  const model = target.model.replaceAll("%40", "@");
  return `/${version}/projects/${project}/locations/${location}/publishers/${publisher}/models/${model}:${verb}`;
}

export const VERTEX = {
  label: "Google Vertex AI",
  baseUrl: "https://{host}",
  variables: {
    project: {
      env: [
        "GOOGLE_VERTEX_PROJECT",
        "VERTEXAI_PROJECT",
        "VERTEX_PROJECT_ID",
        "ANTHROPIC_VERTEX_PROJECT_ID",
        "GOOGLE_CLOUD_PROJECT",
      ],
    },
    location: {
      env: [
        "GOOGLE_VERTEX_LOCATION",
        "VERTEXAI_LOCATION",
        "CLOUD_ML_REGION",
        "GOOGLE_CLOUD_LOCATION",
      ],
      default: "global",
    },
  },
  derive: ({ location = "global" }) => ({ host: hostOf(location) }),
  auth: GOOGLE_ADC,
  speaks: [
    {
      protocol: "gemini",
      dialect: {},
      models: /^(?!claude)/,
      path: (target: UrlTarget) =>
        modelPath(target, {
          // As Google's gen AI SDKs: new fields arrive in v1beta1 first.
          version: "v1beta1",
          publisher: "google",
          verb: target.stream ? "streamGenerateContent?alt=sse" : "generateContent",
        }),
    },
    {
      protocol: "anthropic-messages",
      dialect: { anthropicVersionInBody: "vertex-2023-10-16" },
      models: /^claude/,
      path: (target: UrlTarget) =>
        modelPath(target, {
          version: "v1",
          publisher: "anthropic",
          verb: target.stream ? "streamRawPredict" : "rawPredict",
        }),
    },
  ],
  cancelStopsBilling: false,
  regions: ["global", "us", "eu", "us-central1", "us-east5", "europe-west1", "europe-west4"],
  retention: {
    days: null,
    trainsOnApiData: false,
    zeroRetentionOffered: true,
    source:
      "https://docs.cloud.google.com/gemini-enterprise-agent-platform/resources/zero-data-retention",
    date: "2026-11-21",
  },
  checkPath: null,
} as const satisfies Provider;
