/** What a test can make go wrong between the agent and a simulated Asterisk. Fields may be changed at any time. */
export interface SimFaults {
	/** So many originates are answered 500 without a call being placed. */
	refuseOriginates: number;
	/** So many originates are carried out and never answered: the connection just breaks. */
	loseOriginateAnswers: number;
	/** So many originates never reach Asterisk: the connection breaks and no call is placed. */
	loseOriginates: number;
	/** So many requests of any kind break like that, before they are carried out. */
	loseRequests: number;
	/** Events are sent so much later, ms. Their order stays. */
	eventDelayMs: number;
	/** Every event is sent twice, as it is where a channel is followed through its endpoint and by itself. */
	duplicateEvents: boolean;
}

export const noFaults = (): SimFaults => ({
	refuseOriginates: 0,
	loseOriginateAnswers: 0,
	loseOriginates: 0,
	loseRequests: 0,
	eventDelayMs: 0,
	duplicateEvents: false,
});

/** Takes one from the count; false where there is none left. */
export const take = (
	faults: SimFaults,
	count: "refuseOriginates" | "loseOriginateAnswers" | "loseOriginates" | "loseRequests",
): boolean => {
	if (faults[count] <= 0) return false;
	faults[count] -= 1;
	return true;
};
