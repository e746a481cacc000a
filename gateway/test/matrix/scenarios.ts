import type { ScenarioGroup } from "./scenario.ts";
import { ANSWERS, STRUCTURED } from "./scenarios/answers.ts";
import { CONVERSATION } from "./scenarios/conversation.ts";
import { MEDIA } from "./scenarios/media.ts";
import { REASONING } from "./scenarios/reasoning.ts";
import { ERRORS, SETTINGS } from "./scenarios/settings.ts";
import { TOOLS } from "./scenarios/tools.ts";

/** Everything that a cell of the protocol matrix can be about. */
export const GROUPS: readonly ScenarioGroup[] = [
  CONVERSATION,
  MEDIA,
  TOOLS,
  STRUCTURED,
  REASONING,
  ANSWERS,
  SETTINGS,
  ERRORS,
];
