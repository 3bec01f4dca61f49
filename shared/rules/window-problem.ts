import type { Trunk } from "../contract/trunk.ts";
import type { Window } from "../contract/window.ts";

/**
 * Why a campaign's window cannot be applied, in words for whoever submits it; undefined where it can. For one row: with whether that row has a zone.
 * @param numbering of the campaign's trunks
 * @param rowHasZone whether every row has a timeZone of its own; false where rows may be added later
 */
export const windowProblem = (
	window: Window | undefined,
	numbering: readonly Trunk["numbering"][],
	rowHasZone: boolean,
): string | undefined => {
	if (!window || window.timeZone !== undefined || rowHasZone || !numbering.includes("private")) return undefined;
	return "has no timeZone, and numbers of a private trunk have no place that would give one: give the window a timeZone, or every contact";
};
