/** How a vendor's keys begin. */
export interface SecretPrefix {
  readonly prefix: string;
  /** Characters behind it, at the least. */
  readonly least: number;
  /** Capitals and digits only, of that length. */
  readonly upperOnly?: true;
  /** Long and peculiar enough without a digit in it. */
  readonly anyWords?: true;
}

/** From the vendors' own documentation and GitHub's list of secret scanning patterns, seen 2026-11. */
export const SECRET_PREFIXES: readonly SecretPrefix[] = [
  { prefix: "sk-ant-", least: 16 },
  { prefix: "sk-proj-", least: 16 },
  { prefix: "sk-svcacct-", least: 16 },
  { prefix: "sk-or-", least: 16 },
  { prefix: "sk-tp-", least: 16 },
  { prefix: "sk-", least: 16 },
  { prefix: "sk_live_", least: 12 },
  { prefix: "sk_test_", least: 12 },
  { prefix: "rk_live_", least: 12 },
  { prefix: "rk_test_", least: 12 },
  { prefix: "whsec_", least: 16 },
  { prefix: "AKIA", least: 16, upperOnly: true },
  { prefix: "ASIA", least: 16, upperOnly: true },
  { prefix: "AIza", least: 30 },
  { prefix: "ya29.", least: 20 },
  { prefix: "GOCSPX-", least: 20 },
  { prefix: "ghp_", least: 30 },
  { prefix: "gho_", least: 30 },
  { prefix: "ghu_", least: 30 },
  { prefix: "ghs_", least: 30 },
  { prefix: "ghr_", least: 30 },
  { prefix: "github_pat_", least: 30 },
  { prefix: "glpat-", least: 16 },
  { prefix: "xoxb-", least: 16 },
  { prefix: "xoxp-", least: 16 },
  { prefix: "xoxa-", least: 16 },
  { prefix: "xoxs-", least: 16 },
  { prefix: "xapp-", least: 16 },
  { prefix: "SG.", least: 30 },
  { prefix: "hf_", least: 24 },
  { prefix: "gsk_", least: 24 },
  { prefix: "xai-", least: 24 },
  { prefix: "pplx-", least: 24 },
  { prefix: "r8_", least: 24 },
  { prefix: "fw_", least: 20 },
  { prefix: "vck_", least: 20 },
  { prefix: "npm_", least: 30 },
  { prefix: "pypi-", least: 30 },
  { prefix: "dop_v1_", least: 32 },
  { prefix: "shpat_", least: 30 },
  { prefix: "lin_api_", least: 24 },
  { prefix: "ntn_", least: 24 },
  { prefix: "sq0atp-", least: 20 },
  { prefix: "key-", least: 32 },
  { prefix: "hvs.", least: 20 },
  { prefix: "AGE-SECRET-KEY-", least: 40, anyWords: true },
];
