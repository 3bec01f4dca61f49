import type { SyncRequest } from "../../shared/contract/host.ts";
import { Told } from "./told.ts";

type State = SyncRequest["state"];

/** What the control plane was told of Asterisk: an idle host has to sync to say that it is down, or back. */
export class ToldState {
	#told = new Told<State>();
	#wasUp = false;

	/** A hello begins with `up`. */
	begin(): void {
		this.#told = new Told<State>("up");
	}

	/** Whether there is something to say. Before Asterisk was there for the first time its absence is no news: it is about to come. */
	isNews(state: State): boolean {
		this.#wasUp ||= state === "up";
		return this.#wasUp && this.#told.isNews(state);
	}

	forRequest(state: State): State {
		return this.#told.forRequest(state, true) ?? state;
	}

	/** That request was answered. */
	acknowledged(): void {
		this.#told.acknowledged();
	}
}
