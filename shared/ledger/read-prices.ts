import type { Deps } from "../deps.ts";
import { priceBookOf } from "../prices/read-prices.ts";
import { type LedgerPrices, ledgerPrices } from "./ledger-prices.ts";

/** The prices that count for a tenant, its own ones first. Throws PriceError where one is missing. */
export const readLedgerPrices = async (
	deps: Pick<Deps, "db" | "tables" | "settings">,
	tenant: string,
	channelsPerHost: number,
): Promise<LedgerPrices> => ledgerPrices(await priceBookOf(deps, tenant, deps.settings.awsRegion), channelsPerHost);
