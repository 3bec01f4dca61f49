import { dayOf, daysBetween } from "../../shared/ledger/days.ts";
import type { ShownDay } from "../../shared/ledger/show-day.ts";
import type { InstanceHistory } from "../ec2/types.ts";
import type { Stack } from "../stack/stack.ts";
import type { CarrierCall } from "../voice/types.ts";

/** What the ledger says of a run, against EC2's own history and the carrier's own record. */
export interface LedgerFigures {
	/** US dollars: all, of an attempt, of an answered call. */
	usd: number;
	perAttemptUsd: number | null;
	perAnsweredUsd: number | null;
	/** Seconds of instances by the ledger, and as EC2 billed them. */
	instanceSec: number;
	ec2Sec: number;
}

/** EC2 bills whole seconds, at least so many a start. */
const LEAST_SEC = 60;
/** Events tell whole seconds: the beginning and the end of a run are each up to one off. */
const SEC_PER_RUN = 1;
/** Host and carrier see an answer and an end at moments of their own, and each call is rounded up. */
const SEC_PER_CALL = 1;

const billedSec = (history: readonly InstanceHistory[], nowMs: number): number =>
	history
		.flatMap(({ billed }) => billed)
		.reduce((sum, { fromMs, toMs = nowMs }) => sum + Math.max(LEAST_SEC, Math.ceil((toMs - fromMs) / 1_000)), 0);

/**
 * @param fromMs when the run began
 * @param calls by the carrier's record
 * @param carrierStepSec as the prices of the control plane have it
 */
export const checkLedger = async (
	stack: Stack,
	fromMs: number,
	calls: readonly CarrierCall[],
	carrierStepSec = SEC_PER_CALL,
): Promise<{ figures: LedgerFigures; findings: string[] }> => {
	const now = Date.now();
	const days: ShownDay[] = [];
	for (const day of daysBetween(Date.parse(dayOf(fromMs)), now)) {
		const { status, body } = await stack.client.request<ShownDay>("GET", `/v1/ledger/${day}`);
		if (status !== 200) throw new Error(`GET /v1/ledger/${day} answered ${status}: ${JSON.stringify(body)}`);
		days.push(body);
	}
	const quantity = (item: string): number =>
		days.flatMap(({ lines }) => lines).reduce((sum, line) => (line.item === item ? sum + line.quantity : sum), 0);
	const campaigns = days.flatMap((day) => day.campaigns);
	const of = (pick: (campaign: (typeof campaigns)[number]) => number): number =>
		campaigns.reduce((sum, campaign) => sum + pick(campaign), 0);
	const usd = days.reduce((sum, day) => sum + day.usd, 0);
	const [attempts, answered] = [of((each) => each.attempts), of((each) => each.answered)];
	const history = stack.ec2?.history() ?? [];
	const runs = history.flatMap(({ billed }) => billed).length;
	const [instanceSec, ec2Sec] = [quantity("instance"), billedSec(history, now)];
	const talked = calls.filter((call) => call.answeredAt !== undefined);
	const talkSec = talked.reduce(
		(sum, { answeredAt = 0, endedAt = answeredAt }) =>
			sum + Math.ceil((endedAt - answeredAt) / 1_000 / carrierStepSec) * carrierStepSec,
		0,
	);
	const ledgerSec = quantity("carrier") * 60;
	const findings = [
		...(Math.abs(instanceSec - ec2Sec) > runs * SEC_PER_RUN
			? [`the ledger has ${instanceSec} s of instances, EC2 billed ${ec2Sec} s`]
			: []),
		...(attempts === calls.length ? [] : [`the ledger has ${attempts} attempts, the carrier saw ${calls.length}`]),
		...(answered === talked.length ? [] : [`the ledger has ${answered} answered, the carrier ${talked.length}`]),
		...(Math.abs(ledgerSec - talkSec) > talked.length * SEC_PER_CALL
			? [`the ledger has ${ledgerSec.toFixed(0)} s of talk, the carrier ${talkSec.toFixed(0)} s`]
			: []),
	];
	const each = (n: number): number | null => (n === 0 ? null : Number((usd / n).toFixed(9)));
	return {
		figures: {
			usd: Number(usd.toFixed(6)),
			perAttemptUsd: each(attempts),
			perAnsweredUsd: each(answered),
			instanceSec,
			ec2Sec,
		},
		findings,
	};
};
