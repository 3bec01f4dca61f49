import { formatOfType } from "../contacts/add-list.ts";
import { forEachParallel } from "../contacts/parallel.ts";
import { parseList } from "../contacts/parse.ts";
import type { RejectedRow } from "../contacts/rows.ts";
import { ListError } from "../contacts/split.ts";
import { PUT_CONCURRENCY } from "../contacts/store-chunk.ts";
import { ApiError, badRequest, unprocessable } from "../contract/errors.ts";
import { OPT_OUT_LIST } from "../contract/suppression.ts";
import type { Deps } from "../deps.ts";
import { type CheckedNumbers, checkNumbers } from "./check-numbers.ts";
import { countNumbers } from "./lists.ts";
import { addNumber, markOptOut } from "./numbers.ts";
import type { SuppressionList } from "./suppressed-by.ts";

/** Numbers written between two looks at the clock, and counted by one write. */
const BLOCK_NUMBERS = 1_000;
/**
 * A request stores numbers for so long, ms, and then answers how far it came: the function ends after 20 s, and reading the body, the last block and
 * throttled writes that are repeated take their time too.
 */
export const ADD_BUDGET_MS = 10_000;
/** Reads the body of `POST /v1/suppression/{list}/numbers`; throws 400, or 422 where it holds nothing that could be stored. */
export const parseNumbers = (contentType: string | undefined, body: Uint8Array, fromLine: number): CheckedNumbers => {
	const format = formatOfType(contentType);
	let list: CheckedNumbers;
	try {
		list = checkNumbers(parseList(body, format), fromLine);
	} catch (error) {
		if (!(error instanceof ListError)) throw error;
		if (format === "json") throw badRequest(error.message, [{ path: "", message: error.message }]);
		throw unprocessable("listNotReadable", error.message, [{ path: "", message: error.message }]);
	}
	if (list.numbers.length > 0) return list;
	if (list.rejectedCount === 0) {
		throw unprocessable(
			"listNotReadable",
			fromLine > 1 ? `The list has no rows from line ${fromLine} on.` : "The list has no rows.",
		);
	}
	throw new ApiError(
		422,
		"noUsableNumbers",
		`None of the ${list.rejectedCount} row(s) has a number; nothing was stored.`,
		{
			details: list.rejected
				.slice(0, 50)
				.map((row) => ({ path: `[${row.line - 1}]`, message: `${row.number}: ${row.reason}` })),
			extra: { rejected: list.rejected, rejectedCount: list.rejectedCount },
		},
	);
};

/** What became of a list of numbers. */
export interface AddedNumbers {
	added: number;
	already: number;
	/** Of those that were taken: digits without a +, which only calls on private trunks are compared with. */
	privateNumbers: number;
	rejected: RejectedRow[];
	rejectedCount: number;
	/** Whether all rows are stored; else the same body goes on with `?fromLine=` of `nextLine`. */
	complete: boolean;
	nextLine?: number;
}

/**
 * Puts numbers on a list, many at once, for as long as the time allows. Repeatable; a failure in between leaves those on the list that were stored, and the
 * same request again does the rest.
 * @param more whether other parts of the list follow: a part of a register does not make it young
 */
export const addNumbers = async (
	deps: Deps,
	tenant: string,
	tokenId: string,
	list: SuppressionList,
	checked: CheckedNumbers,
	more: boolean,
): Promise<AddedNumbers> => {
	const startedAt = deps.now();
	const { numbers } = checked;
	let done = 0;
	let added = 0;
	while (done < numbers.length && deps.now() - startedAt < ADD_BUDGET_MS) {
		const block = numbers.slice(done, done + BLOCK_NUMBERS);
		let fresh = 0;
		try {
			await forEachParallel(block, PUT_CONCURRENCY, async ({ number }) => {
				if (!(await addNumber(deps, tenant, list, number, { at: startedAt, by: tokenId }))) fresh++;
			});
		} finally {
			// Also of a block that failed: those that were stored are on the list.
			if (fresh > 0) await countNumbers(deps, tenant, list, fresh);
		}
		done += block.length;
		added += fresh;
	}
	if (list.name === OPT_OUT_LIST) await markOptOut(deps, tenant);
	const next = numbers[done];
	if (!next && !more) await countNumbers(deps, tenant, list, 0, deps.now());
	const taken = numbers.slice(0, done);
	const answer: AddedNumbers = {
		added,
		already: done - added + checked.repeated,
		privateNumbers: taken.filter(({ number }) => !number.startsWith("+")).length,
		rejected: checked.rejected,
		rejectedCount: checked.rejectedCount,
		complete: next === undefined,
		...(next ? { nextLine: next.line } : {}),
	};
	const { rejected: _, ...counts } = answer;
	deps.log.info("suppression.numbersAdded", {
		tenant,
		list: list.name,
		tokenId,
		...counts,
		ms: deps.now() - startedAt,
	});
	return answer;
};
