import { count, facts, table } from "./format.ts";
import type { ExplanationView } from "./views.ts";

/** `3 on the list opt-outs, 1 …`; undefined where there is none. */
const listed = (counts: Record<string, number>): string | undefined =>
	Object.entries(counts)
		.map(([what, contacts]) => `${count(contacts)} ${what}`)
		.join(", ") || undefined;

const hostsWords = ({ active, silent, draining, coming, mayDial, freeChannels }: ExplanationView["hosts"]): string =>
	[
		`${active} active${silent > 0 ? ` (${silent} not heard of)` : ""}`,
		...(draining > 0 ? [`${draining} draining`] : []),
		...(coming > 0 ? [`${coming} on their way`] : []),
		`${mayDial} may dial for it, with ${count(freeChannels)} channels free`,
	].join(", ");

const trunkWords = ({ channels, cps, down }: ExplanationView["trunks"][number]): string => {
	const aside = channels.aside > 0 ? `, ${count(channels.aside)} kept aside for lost hosts` : "";
	const rate = cps.now < cps.max ? `slowed to ${cps.now} of ${cps.max} calls/s` : `${cps.max} calls/s`;
	return (
		`${count(channels.free)} of ${count(channels.cap)} channels free (${count(channels.own)} of this campaign, ${count(channels.others)} of others${aside}), ${rate}` +
		(down.length > 0 ? `, no answer to ${down.join(", ")}` : "")
	);
};

/** Why a campaign is not dialed: the main thing, then everything that is not done by reason. */
export const describeExplanation = (explanation: ExplanationView): string => {
	const { words, reasons, notDone, estimated, lookedAt, hosts, trunks, suppressed, usedUp } = explanation;
	const lines = [words];
	if (reasons.length > 0) {
		const rows = reasons.map((row) => [row.contacts, row.reason, row.words]);
		lines.push("", table(["contacts", "reason", "they"], [...rows, [notDone, "all not done", " "]]));
	}
	if (estimated) lines.push("", `Estimated from ${count(lookedAt)} contacts that were looked at; the sum is exact.`);
	lines.push(
		"",
		facts([
			["hosts", hostsWords(hosts)],
			...trunks.map((trunk): [string, string] => [`trunk ${trunk.id}`, trunkWords(trunk)]),
			["suppressed", listed(suppressed)],
			["not reached", listed(usedUp)],
		]),
	);
	return lines.join("\n");
};
