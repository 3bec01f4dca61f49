import { Exact } from "./exact.ts";

/**
 * What a leg sends while people talk, kbit/s: a packet every 20 ms (50 a second), each with RTP (12 bytes), UDP (8) and IPv4 (20) headers, so 16 kbit/s on
 * top of the codec's own. That is what leaves EC2 and is billed; Ethernet and what lies below is not. Both directions are alike, but what comes in is free.
 */
export const CODEC_KBITS: Readonly<Record<string, number>> = {
	/** G.711: 64 + 16. */
	ulaw: 80,
	alaw: 80,
	/** 64 + 16. */
	g722: 80,
	/** 8 + 16. */
	g729: 24,
	/** 13.2 + 16: 33 bytes every 20 ms. */
	gsm: 29.2,
	/** At 24 kbit/s, a usual setting for speech; it varies. */
	opus: 40,
};

export const DEFAULT_CODEC = "ulaw";

/** GB are taken as 10^9 bytes. Where AWS counts 2^30 the bill is 7 % less, never more. */
const BYTES_PER_GB = 1_000_000_000;

/** Bits and bytes: 1,000 / 8. */
const BYTES_PER_KBIT = 125;

/** GB that a second of talk on one leg sends. @param codec a key of CODEC_KBITS */
export const gbPerTalkSec = (codec: string): Exact => {
	const kbits = CODEC_KBITS[codec];
	if (kbits === undefined) throw new RangeError(`${codec} is no known codec: ${Object.keys(CODEC_KBITS).join(", ")}`);
	return Exact.of(kbits).times(BYTES_PER_KBIT).by(BYTES_PER_GB);
};
