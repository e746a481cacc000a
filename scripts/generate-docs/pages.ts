import { governanceFileJsonSchema } from "../../contract/src/governance-file.ts";
import { builtInCatalog } from "../../gateway/src/catalog/load-catalog.ts";
import { ADMIN_ROUTES } from "../../gateway/src/http/admin/admin-routes.ts";
import { PROVIDERS } from "../../gateway/src/providers/providers.ts";
import { renderAdminApiPage } from "./admin-api-page.ts";
import { renderCatalogPage } from "./catalog-page.ts";
import { configSchemaJson } from "./config-schema.ts";
import { renderConfigurationPage } from "./configuration-page.ts";
import { renderErrorsPage } from "./errors-page.ts";
import { renderHealthParametersPage } from "./health-parameters-page.ts";
import { renderProvidersPage } from "./providers-page.ts";
import { renderRolesPage } from "./roles-page.ts";

/** The files under `docs` that are written from the code, and what is in each. */
export const generatedPages = (): Readonly<Record<string, string>> => ({
  "admin-api.md": renderAdminApiPage(ADMIN_ROUTES),
  "governance.schema.json": `${JSON.stringify(governanceFileJsonSchema(), undefined, 2)}\n`,
  "catalog.md": renderCatalogPage(builtInCatalog()),
  "configuration.md": renderConfigurationPage(),
  "errors.md": renderErrorsPage(),
  "health-parameters.md": renderHealthParametersPage(),
  "providers.md": renderProvidersPage(PROVIDERS),
  "roles.md": renderRolesPage(),
  "turnpike.schema.json": configSchemaJson(),
});
