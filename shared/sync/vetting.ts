import type { Outcome } from "../contract/outcome.ts";
import type { CampaignItem } from "../store/items.ts";
import { readSuppression } from "../suppression/read-suppression.ts";
import type { Choice } from "./choose.ts";
import type { Run } from "./run.ts";
import { vet } from "./vet.ts";
import { letWait, recordExemptions, tryNextNumber } from "./waits.ts";

/** Contacts that one sync ends as suppressed: its grant record names them. */
const MAX_UNCALLED = 100;

/** A contact that is to end without being called. */
export interface Uncalled {
	choice: Choice;
	outcome: Outcome;
	why: string;
}

/** Sorts out, within one sync, the contacts that may not be called now: those that wait are told so at once, those that may never be are kept for the grant record. */
export class Vetting {
	readonly uncalled: Uncalled[] = [];
	readonly #run: Run;
	#waiting = 0;

	constructor(run: Run) {
		this.#run = run;
	}

	/** How many contacts were sent on to a later time. */
	get waiting(): number {
		return this.#waiting;
	}

	/** Of the choices those that may be granted now, in their order. What a list says is read strongly; what cannot be read is thrown. */
	async allowed(campaign: CampaignItem, choices: readonly Choice[]): Promise<Choice[]> {
		const { deps, host } = this.#run;
		if (choices.length === 0) return [];
		const suppression = await readSuppression(
			deps,
			host.tenant,
			choices.map(({ contact }) => contact.number),
		);
		const now = deps.now();
		const allowed: Choice[] = [];
		const exempt = new Set<string>();
		const writes: Promise<unknown>[] = [];
		for (const choice of choices) {
			const verdict = vet(campaign, choice.contact, suppression, now);
			if (verdict.kind === "call") {
				allowed.push(choice);
				for (const { rule } of verdict.exemptions) exempt.add(rule);
			} else if (verdict.kind === "wait") {
				this.#waiting++;
				writes.push(letWait(deps, choice.contact, verdict.until, { for: verdict.why, rule: verdict.rule }));
			} else if (verdict.kind === "end") this.#end(choice, verdict.outcome, verdict.why);
			else writes.push(this.#suppress(choice, verdict.why));
		}
		await Promise.all(writes);
		await recordExemptions(deps, campaign, exempt);
		return allowed;
	}

	async #suppress(choice: Choice, why: string): Promise<void> {
		if (await tryNextNumber(this.#run.deps, choice.contact)) return;
		this.#end(choice, "suppressed", why);
	}

	#end(choice: Choice, outcome: Outcome, why: string): void {
		if (this.uncalled.length < MAX_UNCALLED) this.uncalled.push({ choice, outcome, why });
	}
}
