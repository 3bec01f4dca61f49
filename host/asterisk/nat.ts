import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { OWN_FOLDER, readText, writeFileSafely } from "./own-files.ts";
import { HEADER, RenderError } from "./render.ts";

/** Asterisk behind a one-to-one NAT, as every EC2 instance is. */
export interface Nat {
	/** The public IPv4 address; undefined: no NAT, or none that is known. */
	address: string | undefined;
	/** IPv4 ranges that are reached without the NAT. */
	localNets: string[];
}

export const NAT_FILE = "nat.conf";
const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
const RANGE = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}\/(3[0-2]|[12]?\d)$/;

/** Lines of a PJSIP transport; included within its section. @throws RenderError */
export const renderNat = ({ address, localNets }: Nat): string => {
	if (address === undefined) return HEADER;
	if (!IPV4.test(address)) throw new RenderError("the public address is no IPv4 address");
	const ranges = localNets.map((range) => {
		if (!RANGE.test(range))
			throw new RenderError(`the local network "${range.slice(0, 40)}" is not of the form 10.0.0.0/16`);
		return `local_net=${range}\n`;
	});
	return `${HEADER}external_media_address=${address}\nexternal_signaling_address=${address}\n${ranges.join("")}`;
};

/**
 * Writes the file that Asterisk's transport includes. Asterisk reads a transport once, when it starts: so this belongs before.
 * @param options.onlyReplace leave it where there is none
 * @returns whether the file was changed
 */
export const writeNat = async (etcDir: string, nat: Nat, options: { onlyReplace?: boolean } = {}): Promise<boolean> => {
	const folder = join(etcDir, OWN_FOLDER);
	const file = join(folder, NAT_FILE);
	const text = renderNat(nat);
	const standing = await readText(file);
	if (standing === text || (standing === undefined && options.onlyReplace)) return false;
	await mkdir(folder, { recursive: true, mode: 0o750 });
	await writeFileSafely(file, text);
	return true;
};
