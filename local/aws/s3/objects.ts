import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface ObjectMeta {
	key: string;
	size: number;
	etag: string;
	contentType: string;
	/** ms since 1970 */
	modifiedAt: number;
	/** `x-amz-meta-…` without the prefix. */
	metadata: Record<string, string>;
}
/** Thrown where stored bytes are not those that the sender named. */
export class BadDigest extends Error {
	override readonly name = "BadDigest";
}

/** Objects as files: one for the bytes, one for what is known of them. A name is a hash, so a key can be any text. */
export class ObjectStore {
	readonly #dir: string;
	constructor(dir: string) {
		this.#dir = dir;
	}

	#path(bucket: string, key: string): string {
		return join(this.#dir, bucket, createHash("sha256").update(key).digest("hex"));
	}

	async hasBucket(bucket: string): Promise<boolean> {
		return stat(join(this.#dir, bucket)).then(
			() => true,
			() => false,
		);
	}

	/** @returns false if it is there already */
	async createBucket(bucket: string): Promise<boolean> {
		return (await mkdir(join(this.#dir, bucket), { recursive: true })) !== undefined;
	}

	/** Stores the stream; the object is replaced only when all of it has come. */
	async put(
		bucket: string,
		key: string,
		body: AsyncIterable<Uint8Array>,
		given: { contentType: string; metadata: Record<string, string>; sha256Base64?: string | undefined },
	): Promise<ObjectMeta> {
		const path = this.#path(bucket, key);
		const temporary = `${path}.${randomUUID()}`;
		const md5 = createHash("md5");
		const sha256 = createHash("sha256");
		let size = 0;
		const measure = new Transform({
			transform(chunk, _, done) {
				md5.update(chunk);
				sha256.update(chunk);
				size += chunk.length;
				done(null, chunk);
			},
		});
		try {
			await pipeline(Readable.from(body), measure, createWriteStream(temporary));
			if (given.sha256Base64 !== undefined && given.sha256Base64 !== sha256.digest("base64")) {
				throw new BadDigest("The SHA-256 you specified did not match the calculated checksum.");
			}
			const meta: ObjectMeta = {
				key,
				size,
				etag: `"${md5.digest("hex")}"`,
				contentType: given.contentType,
				modifiedAt: Date.now(),
				metadata: given.metadata,
			};
			await rename(temporary, path);
			await writeFile(`${path}.json`, JSON.stringify(meta));
			return meta;
		} catch (error) {
			await rm(temporary, { force: true });
			throw error;
		}
	}

	/** @returns undefined where there is no such object */
	async head(bucket: string, key: string): Promise<ObjectMeta | undefined> {
		try {
			return JSON.parse(await readFile(`${this.#path(bucket, key)}.json`, "utf8"));
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
			throw error;
		}
	}

	/** @param range first and last byte, both included */
	read(bucket: string, key: string, range?: { start: number; end: number }): Readable {
		return createReadStream(this.#path(bucket, key), range ?? {});
	}

	async delete(bucket: string, key: string): Promise<void> {
		const path = this.#path(bucket, key);
		await Promise.all([rm(path, { force: true }), rm(`${path}.json`, { force: true })]);
	}
}
