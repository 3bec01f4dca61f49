import type { Deps } from "../deps.ts";
import { PriceBook } from "../prices/price-book.ts";
import { type LedgerPrices, ledgerPrices } from "./ledger-prices.ts";

/** The prices that count for a tenant. Throws PriceError where one is missing. */
export const readLedgerPrices = async (
	deps: Pick<Deps, "db" | "tables" | "settings">,
	_tenant: string,
	channelsPerHost: number,
): Promise<LedgerPrices> => ledgerPrices(new PriceBook(deps.settings.awsRegion), channelsPerHost);
