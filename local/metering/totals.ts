/** Sums of one operation on one table. */
export interface Totals {
	requests: number;
	/** Items written or read (found or not). */
	items: number;
	/** Units of the table, and of its indexes: the whole cost of writing is their sum. */
	writeUnits: number;
	indexWriteUnits: number;
	readUnits: number;
	/** Conditional writes whose condition did not hold: paid all the same, and among `writeUnits`. */
	failedConditions: number;
}
/** By table (its physical name), then by operation. */
export type MeterTotals = Record<string, Record<string, Totals>>;

export const NO_UNITS: Readonly<Totals> = {
	requests: 0,
	items: 0,
	writeUnits: 0,
	indexWriteUnits: 0,
	readUnits: 0,
	failedConditions: 0,
};
const FIELDS = Object.keys(NO_UNITS) as (keyof Totals)[];

/** What one request costs on one table. */
export type Charge = { table: string } & Partial<Totals>;

export const addCharge = (totals: MeterTotals, operation: string, { table, ...charge }: Charge): void => {
	totals[table] ??= {};
	totals[table][operation] ??= { ...NO_UNITS };
	const sums = totals[table][operation];
	for (const field of FIELDS) sums[field] += charge[field] ?? 0;
};

/** Sum over tables and operations, or over those that `include` takes. */
export const sumTotals = (
	totals: MeterTotals,
	include: (table: string, operation: string) => boolean = () => true,
): Totals => {
	const sum = { ...NO_UNITS };
	for (const [table, operations] of Object.entries(totals)) {
		for (const [operation, one] of Object.entries(operations)) {
			if (include(table, operation)) for (const field of FIELDS) sum[field] += one[field];
		}
	}
	return sum;
};

/** What was counted between two readings of one meter. */
export const totalsBetween = (earlier: MeterTotals, later: MeterTotals): MeterTotals => {
	const between: MeterTotals = {};
	for (const [table, operations] of Object.entries(later)) {
		for (const [operation, end] of Object.entries(operations)) {
			const start = earlier[table]?.[operation] ?? NO_UNITS;
			const difference: Totals = { ...NO_UNITS };
			for (const field of FIELDS) difference[field] = end[field] - start[field];
			addCharge(between, operation, { table, ...difference });
		}
	}
	return between;
};
