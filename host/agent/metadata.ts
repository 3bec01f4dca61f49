import { request } from "undici";

/** An instance's metadata service, version 2 (IMDSv2). */
export interface Metadata {
	/** The signed identity document, byte for byte, and its signature. */
	identity(): Promise<{ document: string; signature: string }>;
	/** What the launch template says; undefined where it says nothing. */
	userData(): Promise<string | undefined>;
	/** The public IPv4 address, which changes with every start; undefined where the instance has none. */
	publicAddress(): Promise<string | undefined>;
	/** IPv4 ranges on this side of the NAT: the instance's own address and its VPC's, as far as they are told. */
	localNets(): Promise<string[]>;
}

/** The metadata service did not answer, or not as it should. */
export class MetadataError extends Error {
	override readonly name = "MetadataError";
}

export const METADATA_URL = "http://169.254.169.254";
/** The service is on the machine's own link. */
const TIMEOUT_MS = 2_000;
/** Everything is read within moments of the first request. */
const TOKEN_SEC = 300;
const MAX_BYTES = 65_536;

export const isIpv4 = (text: string): boolean => /^(\d{1,3}\.){3}\d{1,3}$/.test(text);
const isRange = (text: string): boolean => /^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/.test(text);

/** @param url of the service, without `/latest` */
export const metadataService = (url: string, timeoutMs = TIMEOUT_MS): Metadata => {
	const base = `${url.replace(/\/+$/, "")}/latest`;
	let session: Promise<string> | undefined;

	const send = async (method: "GET" | "PUT", path: string, headers: Record<string, string>) => {
		let status: number;
		let text: string;
		try {
			const answer = await request(`${base}/${path}`, {
				method,
				headers,
				headersTimeout: timeoutMs,
				bodyTimeout: timeoutMs,
			});
			status = answer.statusCode;
			text = await answer.body.text();
		} catch (error) {
			throw new MetadataError(
				`The instance metadata service at ${url} does not answer. Is this an EC2 instance, and is its metadata service on?`,
				{ cause: error },
			);
		}
		if (status === 404) return undefined;
		if (status !== 200) throw new MetadataError(`The instance metadata service answers ${path} with ${status}.`);
		if (text.length > MAX_BYTES) throw new MetadataError(`The instance metadata service's ${path} is too long.`);
		return text;
	};

	const token = async (): Promise<string> => {
		const text = await send("PUT", "api/token", { "x-aws-ec2-metadata-token-ttl-seconds": String(TOKEN_SEC) });
		if (!text) throw new MetadataError("The instance metadata service gives no token: it must offer version 2.");
		return text;
	};

	const get = async (path: string): Promise<string | undefined> => {
		session ??= token();
		try {
			return await send("GET", path, { "x-aws-ec2-metadata-token": await session });
		} catch (error) {
			// The next try begins with a token of its own: this one may have ended.
			session = undefined;
			throw error;
		}
	};

	const must = async (path: string): Promise<string> => {
		const text = await get(path);
		if (!text) throw new MetadataError(`The instance metadata service has no ${path}.`);
		return text;
	};

	return {
		identity: async () => ({
			document: await must("dynamic/instance-identity/document"),
			signature: await must("dynamic/instance-identity/signature"),
		}),
		userData: () => get("user-data"),
		publicAddress: async () => {
			const text = (await get("meta-data/public-ipv4"))?.trim();
			return text !== undefined && isIpv4(text) ? text : undefined;
		},
		localNets: async () => {
			// Asterisk changes the address in its SDP only where that is itself among these.
			const own = (await get("meta-data/local-ipv4"))?.trim() ?? "";
			const mac = (await get("meta-data/mac"))?.trim() ?? "";
			const ranges = /^[0-9a-f:]{17}$/i.test(mac)
				? await get(`meta-data/network/interfaces/macs/${mac}/vpc-ipv4-cidr-blocks`)
				: undefined;
			return [...(isIpv4(own) ? [`${own}/32`] : []), ...(ranges ?? "").split(/\s+/).filter(isRange)];
		},
	};
};
