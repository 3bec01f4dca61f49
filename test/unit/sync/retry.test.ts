import { expect, test } from "@jest/globals";
import { MAX_ATTEMPTS } from "../../../shared/contract/campaign.ts";
import type { HistoryEntry } from "../../../shared/store/items.ts";
import { afterAttempt } from "../../../shared/sync/retry.ts";

const entry = (o: HistoryEntry["o"]): HistoryEntry => ({ o, by: "h#1#1", lease: "h#1#1", ver: 2, fin: false });
const retry = { busy: { afterSec: 300, max: 2 }, hostLost: { afterSec: 10, max: 1 } };

test("an outcome without a rule ends the contact", () => {
	expect(afterAttempt(retry, "noAnswer", 1, {}, 0, 60)).toEqual({ final: true });
});
test("a rule makes the contact due again after its delay", () => {
	expect(afterAttempt(retry, "busy", 1, {}, 1_000, 60)).toEqual({ final: false, dueAt: 301_000 });
});
test("the maximum counts attempts with that outcome only", () => {
	expect(afterAttempt(retry, "busy", 3, { "1": entry("busy"), "2": entry("noAnswer") }, 0, 60).final).toBe(false);
	expect(afterAttempt(retry, "busy", 3, { "1": entry("busy"), "2": entry("busy") }, 0, 60).final).toBe(true);
});
test("no contact has more attempts than its history can hold", () => {
	expect(afterAttempt(retry, "busy", MAX_ATTEMPTS, {}, 0, 60).final).toBe(true);
});
test("a call lost with its host is not retried while it may still be up", () => {
	expect(afterAttempt(retry, "hostLost", 1, {}, 0, 60)).toEqual({ final: false, dueAt: 60_000 });
});
