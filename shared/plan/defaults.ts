import { ASSUMED_CALL } from "../campaigns/hold.ts";
import { VOLUME_GB } from "../config/burst-settings.ts";

/** What a plan takes where nothing is said; the command line and the API have the same. */

export const DEFAULT_REGION = "us-east-1";
/** The first that the fleet asks for. */
export const DEFAULT_TYPE = "c7g.large";
/** From a start to the first call: shared/config/burst-settings.ts plans with the same. */
export const BOOT_SEC = 60;
/** After the last call a host waits for 60 s, and calls that are up end: half a minute in the mean. */
export const DRAIN_SEC = 90;
/** Part of the attempts that may find no channel free. */
export const BLOCKING = 0.01;
export const STEP_SEC = 3_600;
/** Stopped hosts that are kept. */
export const WARM_HOSTS = 2;
/** Mean channel time of an attempt, seconds, and the part of it with talk, by what is assumed before a campaign was measured. */
export const HOLD_SEC =
	ASSUMED_CALL.answerRate * (ASSUMED_CALL.ringSec + ASSUMED_CALL.talkSec) +
	(1 - ASSUMED_CALL.answerRate) * ASSUMED_CALL.unansweredSec;
export const TALK_SHARE = Math.round(((ASSUMED_CALL.answerRate * ASSUMED_CALL.talkSec) / HOLD_SEC) * 10_000) / 10_000;
export { ASSUMED_CALL, VOLUME_GB };
