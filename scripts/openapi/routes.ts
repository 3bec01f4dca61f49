import { CAMPAIGNS_ROUTES } from "./campaigns-routes.ts";
import { COST_ROUTES } from "./cost-routes.ts";
import type { DocumentedRoute } from "./documented-route.ts";
import { FLEET_ROUTES } from "./fleet-routes.ts";
import { HOSTS_ROUTES } from "./hosts-routes.ts";
import { SUPPRESSION_ROUTES } from "./suppression-routes.ts";

export { CONTACT_ROW, type DocumentedRoute } from "./documented-route.ts";

/** Every route of the API, as the document shows them. */
export const ROUTES: readonly DocumentedRoute[] = [
	...CAMPAIGNS_ROUTES,
	...SUPPRESSION_ROUTES,
	...HOSTS_ROUTES,
	...FLEET_ROUTES,
	...COST_ROUTES,
];
