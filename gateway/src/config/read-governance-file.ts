import {
  governanceFileJsonSchema,
  governanceFileSchema,
  type GovernanceFile,
} from "@turnpike/contract/governance-file.ts";

import { ConfigError, pathText, type ConfigPath } from "./config-error.ts";
import { describeIssue } from "./describe-issue.ts";
import { faultAt, openYaml, syntaxFault, toValue } from "./yaml-source.ts";

export interface ReadGovernanceFile {
  readonly file: GovernanceFile;
  /** An error that names file, line and path of something in it. */
  readonly faultOf: (at: ConfigPath, message: string) => ConfigError;
}

/** Reads and checks a file of governance. @throws ConfigError naming line and path of all that is wrong */
export function readGovernanceFile(text: string, name: string): ReadGovernanceFile {
  const source = openYaml(text);
  const refuse = (faults: ConfigError["faults"]): never => {
    throw new ConfigError(name, faults);
  };
  const { errors } = source.document;
  if (errors.length > 0) refuse(errors.map(syntaxFault));
  const result = governanceFileSchema.safeParse(toValue(source.document, refuse));
  const fault = (at: ConfigPath, message: string) =>
    faultAt(source, at, { path: pathText(at), message });
  if (!result.success) {
    const placed = result.error.issues.flatMap((issue) =>
      describeIssue(issue, [], governanceFileJsonSchema),
    );
    return refuse(placed.map(({ at, message }) => fault(at, message)));
  }
  return {
    file: result.data,
    faultOf: (at, message) => new ConfigError(name, [fault(at, message)]),
  };
}
