import { createHash } from "node:crypto";

/**
 * Identifiers. All are of one fixed length: Asterisk refuses a channel id that is a prefix of a live one, and the id
 * of a call is the id of its channel.
 */

/** Crockford's base32 in lower case: no letter can be mistaken for a digit, and text order is number order. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

const CAMPAIGN_TIME_CHARS = 10;
const CAMPAIGN_RANDOM_CHARS = 6;
export const CAMPAIGN_ID_CHARS = CAMPAIGN_TIME_CHARS + CAMPAIGN_RANDOM_CHARS;
/** 16 characters are 80 bits of SHA-256: a collision among a billion contacts has a chance of about 1 in 2 million. */
export const CONTACT_KEY_CHARS = 16;

/** Widths of the numbers in a callId, in base 36. The first of the two digits before the version is the trunk's. */
const TRUNK_CHARS = 1;
const ATTEMPT_CHARS = 1;
const VER_CHARS = 4;
const EPOCH_CHARS = 4;
const SEQ_CHARS = 6;

export const CALL_ID_PATTERN = /^[0-9a-z]{16}-[0-9a-z]{16}-[0-9a-z]{2}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{6}$/;
export const CAMPAIGN_ID_PATTERN = /^[0-9a-z]{16}$/;

const base32 = (bytes: Uint8Array, chars: number): string => {
	let bits = 0;
	let value = 0;
	let out = "";
	for (const byte of bytes) {
		value = ((value & 0xff) << 8) | byte;
		bits += 8;
		while (bits >= 5 && out.length < chars) {
			bits -= 5;
			out += ALPHABET[(value >> bits) & 31];
		}
	}
	return out;
};

/**
 * A campaign's id: its creation time and 30 random bits, so that ids in text order are in order of creation.
 * @param nowMs time of creation, milliseconds since 1970
 * @param random at least 4 random bytes
 */
export const newCampaignId = (nowMs: number, random: Uint8Array): string => {
	let time = "";
	let rest = Math.floor(nowMs);
	for (let i = 0; i < CAMPAIGN_TIME_CHARS; i++) {
		time = ALPHABET[rest % 32] + time;
		rest = Math.floor(rest / 32);
	}
	return time + base32(random, CAMPAIGN_RANDOM_CHARS);
};

/** The key of a contact in its campaign: a hash of its contactId, of fixed length and evenly spread. */
export const contactKeyOf = (contactId: string): string =>
	base32(createHash("sha256").update(contactId, "utf8").digest(), CONTACT_KEY_CHARS);

/** What a callId says. */
export interface CallRef {
	campaignId: string;
	contactKey: string;
	/** Which of the campaign's trunks it goes through; absent: the first. */
	trunkIndex?: number;
	/** 1 for the first call placed to the contact. */
	attempt: number;
	/** The contact's version when it was claimed: makes the id unique even if the same attempt is granted again. */
	ver: number;
	/** Epoch and seq of the sync that granted the call. */
	epoch: number;
	seq: number;
}

const fixed = (value: number, chars: number): string => {
	const text = value.toString(36);
	if (text.length > chars) throw new RangeError(`${value} does not fit into ${chars} base-36 digits`);
	return text.padStart(chars, "0");
};

export const formatCallId = (ref: CallRef): string =>
	[
		ref.campaignId,
		ref.contactKey,
		fixed(ref.trunkIndex ?? 0, TRUNK_CHARS) + fixed(ref.attempt, ATTEMPT_CHARS),
		fixed(ref.ver, VER_CHARS),
		fixed(ref.epoch, EPOCH_CHARS),
		fixed(ref.seq, SEQ_CHARS),
	].join("-");

/** @returns undefined where the text is no callId. */
export const parseCallId = (callId: string): CallRef | undefined => {
	if (!CALL_ID_PATTERN.test(callId)) return undefined;
	const [campaignId, contactKey, attempt, ver, epoch, seq] = callId.split("-") as [
		string,
		string,
		string,
		string,
		string,
		string,
	];
	const trunkIndex = Number.parseInt(attempt.slice(0, TRUNK_CHARS), 36);
	return {
		campaignId,
		contactKey,
		...(trunkIndex > 0 ? { trunkIndex } : {}),
		attempt: Number.parseInt(attempt.slice(TRUNK_CHARS), 36),
		ver: Number.parseInt(ver, 36),
		epoch: Number.parseInt(epoch, 36),
		seq: Number.parseInt(seq, 36),
	};
};

/**
 * A campaign on one of its trunks: what a host holds, and the channels that it may use, are told apart by it. The first trunk's lane is the campaign's id
 * itself, so that a campaign with one trunk has one lane.
 */
export const laneOf = ({ campaignId, trunkIndex = 0 }: Pick<CallRef, "campaignId" | "trunkIndex">): string =>
	trunkIndex === 0 ? campaignId : `${campaignId}/${trunkIndex}`;

export const campaignOfLane = (lane: string): string => lane.slice(0, CAMPAIGN_ID_CHARS);
export const trunkIndexOfLane = (lane: string): number => Number(lane.slice(CAMPAIGN_ID_CHARS + 1));

/** The lane of a call; a text that is no callId has one of its own, on which nothing is granted. */
export const laneOfCall = (callId: string): string => {
	const ref = parseCallId(callId);
	return ref ? laneOf(ref) : callId;
};

/** Under which key the slots of a campaign with a rate of its own stand among those of trunks: no trunk's name begins so. */
export const slotKeyOf = (lane: string): string => `#${lane}`;
