import { bearer } from "./auth.ts";
import type { Provider } from "./provider.ts";
import { EMBEDDINGS, RERANK, chat, messages, responses } from "./speeches.ts";

/**
 * Providers of China that need no code, at their international and Chinese platforms. A platform
 * is a row with variables of its own, for its keys are refused at the other and its law differs:
 * a key found in the environment never goes to both. Sorted by id.
 * `cancelStopsBilling` follows https://openrouter.ai/docs/api-reference/streaming (2026-11-21).
 */
export const OPENAI_COMPATIBLE_CHINA = {
  alibaba: {
    label: "Alibaba Model Studio",
    baseUrl: "https://dashscope-{region}.aliyuncs.com/compatible-mode/v1",
    variables: { region: { env: ["DASHSCOPE_REGION", "ALIBABA_REGION"], default: "intl" } },
    auth: bearer("DASHSCOPE_API_KEY", "ALIBABA_API_KEY"),
    speaks: [chat({ reasoningRequest: "enable_thinking", cacheControl: true })],
    embeddings: EMBEDDINGS,
    cancelStopsBilling: false,
    regions: ["intl", "us"],
  },
  "alibaba-cn": {
    label: "Alibaba Model Studio (China)",
    baseUrl: "https://dashscope.aliyuncs.com/compatible-mode/v1",
    auth: bearer("DASHSCOPE_CN_API_KEY", "ALIBABA_CN_API_KEY"),
    speaks: [chat({ reasoningRequest: "enable_thinking", cacheControl: true })],
    embeddings: EMBEDDINGS,
    cancelStopsBilling: false,
    regions: ["cn"],
  },
  baidu: {
    label: "Baidu Qianfan",
    baseUrl: "https://qianfan.baidubce.com/v2",
    auth: bearer("QIANFAN_API_KEY", "BAIDU_API_KEY"),
    speaks: [chat({ reasoningRequest: "enable_thinking" })],
    embeddings: EMBEDDINGS,
    rerank: RERANK,
    cancelStopsBilling: null,
    regions: ["cn"],
  },
  deepseek: {
    label: "DeepSeek",
    baseUrl: "https://api.deepseek.com",
    auth: bearer("DEEPSEEK_API_KEY"),
    speaks: [
      chat({
        reasoningRequest: "thinking",
        reasoningReplay: "reasoning_content",
        structuredOutput: "json-object",
        plainContent: true,
      }),
      messages("/anthropic/v1/messages"),
      // Wants the text of its thoughts back: it encrypts none.
      responses({ reasoningReplay: "reasoning_content" }),
    ],
    cancelStopsBilling: true,
    regions: ["cn"],
  },
  minimax: {
    label: "MiniMax",
    baseUrl: "https://api.minimax.io/v1",
    auth: bearer("MINIMAX_API_KEY"),
    speaks: [
      // Over chat the reasoning stands inside the text unless `reasoning_split` is asked for.
      messages("/v1/messages", { baseUrl: "https://api.minimax.io/anthropic" }),
      chat({
        maxTokensField: "max_completion_tokens",
        reasoningRequest: "thinking",
        reasoningReplay: "reasoning_details",
        structuredOutput: "none",
        // The last chunk is a whole completion: `message` in place of `delta`.
        answersDiffer: true,
      }),
    ],
    cancelStopsBilling: false,
    checkPath: null,
  },
  "minimax-cn": {
    label: "MiniMax (China)",
    baseUrl: "https://api.minimaxi.com/v1",
    auth: bearer("MINIMAX_CN_API_KEY"),
    speaks: [
      messages("/v1/messages", { baseUrl: "https://api.minimaxi.com/anthropic" }),
      chat({
        maxTokensField: "max_completion_tokens",
        reasoningRequest: "thinking",
        reasoningReplay: "reasoning_details",
        structuredOutput: "none",
        // The last chunk is a whole completion: `message` in place of `delta`.
        answersDiffer: true,
      }),
    ],
    cancelStopsBilling: false,
    regions: ["cn"],
    checkPath: null,
  },
  moonshot: {
    label: "Moonshot AI",
    baseUrl: "https://api.moonshot.ai/v1",
    auth: bearer("MOONSHOT_API_KEY", "MOONSHOTAI_API_KEY"),
    speaks: [
      chat({
        maxTokensField: "max_completion_tokens",
        reasoningRequest: "thinking",
        reasoningReplay: "reasoning_content",
      }),
      messages("/v1/messages", { baseUrl: "https://api.moonshot.ai/anthropic" }),
    ],
    cancelStopsBilling: null,
  },
  "moonshot-cn": {
    label: "Moonshot AI (China)",
    baseUrl: "https://api.moonshot.cn/v1",
    auth: bearer("MOONSHOT_CN_API_KEY"),
    speaks: [
      chat({
        maxTokensField: "max_completion_tokens",
        reasoningRequest: "thinking",
        reasoningReplay: "reasoning_content",
      }),
      messages("/v1/messages", { baseUrl: "https://api.moonshot.cn/anthropic" }),
    ],
    cancelStopsBilling: null,
    regions: ["cn"],
  },
  siliconflow: {
    label: "SiliconFlow",
    baseUrl: "https://api.siliconflow.com/v1",
    auth: bearer("SILICONFLOW_API_KEY"),
    speaks: [chat({ reasoningRequest: "enable_thinking" })],
    embeddings: EMBEDDINGS,
    rerank: RERANK,
    cancelStopsBilling: null,
  },
  "siliconflow-cn": {
    label: "SiliconFlow (China)",
    baseUrl: "https://api.siliconflow.cn/v1",
    auth: bearer("SILICONFLOW_CN_API_KEY"),
    speaks: [chat({ reasoningRequest: "enable_thinking" })],
    embeddings: EMBEDDINGS,
    rerank: RERANK,
    cancelStopsBilling: null,
    regions: ["cn"],
  },
  tencent: {
    label: "Tencent Hunyuan",
    baseUrl: "https://api.hunyuan.cloud.tencent.com/v1",
    auth: bearer("HUNYUAN_API_KEY", "TENCENT_HUNYUAN_API_KEY"),
    // No request field of effort is documented for the compatible surface.
    speaks: [chat({ reasoningRequest: "none" })],
    embeddings: EMBEDDINGS,
    cancelStopsBilling: null,
    regions: ["cn"],
    checkPath: null,
  },
  volcengine: {
    label: "Volcengine Ark",
    baseUrl: "https://ark.{region}.volces.com/api/v3",
    variables: { region: { env: ["ARK_REGION", "VOLCENGINE_REGION"], default: "cn-beijing" } },
    auth: bearer("ARK_API_KEY", "VOLCENGINE_API_KEY"),
    speaks: [
      chat({ reasoningRequest: "thinking", reasoningReplay: "reasoning_content" }),
      responses(),
    ],
    embeddings: EMBEDDINGS,
    cancelStopsBilling: null,
    regions: ["cn-beijing"],
    checkPath: null,
  },
  xiaomi: {
    label: "Xiaomi MiMo",
    baseUrl: "https://api.xiaomimimo.com/v1",
    auth: bearer("XIAOMI_API_KEY", "MIMO_API_KEY"),
    speaks: [chat({ reasoningRequest: "thinking", reasoningReplay: "reasoning_content" })],
    cancelStopsBilling: null,
    regions: ["cn"],
  },
  zai: {
    label: "Z.ai",
    baseUrl: "https://api.z.ai/api/paas/v4",
    auth: bearer("ZAI_API_KEY", "Z_AI_API_KEY"),
    speaks: [
      chat({
        reasoningRequest: "thinking",
        reasoningReplay: "reasoning_content",
        structuredOutput: "json-object",
      }),
      messages("/v1/messages", { baseUrl: "https://api.z.ai/api/anthropic" }),
    ],
    cancelStopsBilling: null,
  },
  zhipu: {
    label: "Zhipu BigModel (China)",
    baseUrl: "https://open.bigmodel.cn/api/paas/v4",
    auth: bearer("ZHIPU_API_KEY", "ZHIPUAI_API_KEY", "BIGMODEL_API_KEY"),
    speaks: [
      chat({
        reasoningRequest: "thinking",
        reasoningReplay: "reasoning_content",
        structuredOutput: "json-object",
      }),
      messages("/v1/messages", { baseUrl: "https://open.bigmodel.cn/api/anthropic" }),
    ],
    embeddings: EMBEDDINGS,
    cancelStopsBilling: null,
    regions: ["cn"],
  },
} as const satisfies Record<string, Provider>;
