import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { z } from "zod";
import { ConfigError } from "../config/config-error.ts";
import { PUBLISHED_KEYS } from "./identity-keys.ts";

/** What an instance identity document says; it says more that nobody here asks for. */
export const identityDocumentSchema = z.object({
	instanceId: z.string().regex(/^i-[0-9a-f]{8,32}$/),
	accountId: z.string().min(1).max(32),
	region: z.string().min(1).max(64),
	imageId: z.string().min(1).max(64),
	/** When the instance was last launched or started, whole seconds. */
	pendingTime: z.iso.datetime({ offset: true }),
});
export type IdentityDocument = z.infer<typeof identityDocumentSchema>;

/** Whose documents are believed. */
export interface IdentitySettings {
	/** Where we run: an instance of another region is none of ours. */
	region: string;
	keys: readonly KeyObject[];
}

const PEM_BLOCK = /-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g;

/** The public keys of certificates and public keys in PEM form, one after the other; throws {@link ConfigError}. */
const parsePems = (text: string): KeyObject[] => {
	// Files of settings often have no room for line breaks.
	const blocks = text.replaceAll("\\n", "\n").match(PEM_BLOCK) ?? [];
	if (blocks.length === 0) throw new ConfigError(["BURST_IDENTITY_KEYS: has no PEM certificate and no PEM public key"]);
	return blocks.map((block, i) => {
		try {
			const key = createPublicKey(block);
			if (block.includes("PRIVATE KEY")) throw new Error("is a private key, which must not be here");
			if (key.asymmetricKeyType !== "rsa") throw new Error(`is no RSA key but ${key.asymmetricKeyType}`);
			return key;
		} catch (error) {
			throw new ConfigError([`BURST_IDENTITY_KEYS: PEM ${i + 1}: ${(error as Error).message}`]);
		}
	});
};

/**
 * Whose identity documents are believed in a region.
 * @param identityKeys the setting: replaces what AWS publishes for the region
 * @throws ConfigError where there is no key
 */
export const identitySettings = (region: string | undefined, identityKeys: string): IdentitySettings => {
	if (!region) throw new ConfigError(["AWS_REGION: is missing"]);
	if (identityKeys.trim() !== "") return { region, keys: parsePems(identityKeys) };
	const keys = PUBLISHED_KEYS.filter(({ regions }) => regions.includes(region)).map(({ spki }) =>
		createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" }),
	);
	if (keys.length === 0) {
		throw new ConfigError([
			`BURST_IDENTITY_KEYS: is missing: no key for identity documents of region "${region}" is known here. ` +
				"Set it to the RSA certificate that AWS publishes for the region (EC2 User Guide, AWS public certificates for instance identity document signatures)",
		]);
	}
	return { region, keys };
};

/** Base64 without its line breaks. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Whether one of the keys signed exactly these bytes (RSA, PKCS #1 v1.5, SHA-256). */
export const isSigned = (document: string, signature: string, keys: readonly KeyObject[]): boolean => {
	const text = signature.replace(/\s+/g, "");
	if (!BASE64.test(text)) return false;
	const bytes = Buffer.from(text, "base64");
	return keys.some((key) => verify("sha256", Buffer.from(document, "utf8"), key, bytes));
};

/** A signed document's contents; undefined where it is none. Only of use after {@link isSigned}. */
export const readDocument = (document: string): IdentityDocument | undefined => {
	try {
		return identityDocumentSchema.safeParse(JSON.parse(document)).data;
	} catch {
		// Signed, but not JSON: no identity document.
		return undefined;
	}
};
