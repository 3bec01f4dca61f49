import type { Readable } from "node:stream";
import { GetObjectCommand, HeadObjectCommand, NoSuchKey, NotFound, PutObjectCommand } from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { s3Client } from "../../shared/aws/clients.ts";
import { bucketName } from "../../shared/config/resources.ts";
import type { Objects } from "../../shared/contacts/ports.ts";

/** The bucket named in the environment. */
export const s3Objects = (env: Record<string, string | undefined>): Objects => {
	const get = async (key: string, range?: string) => {
		const answer = await s3Client().send(
			new GetObjectCommand({ Bucket: bucketName(env), Key: key, ...(range ? { Range: range } : {}) }),
		);
		if (!answer.Body) throw new NoSuchKey({ message: `${key} has no body`, $metadata: answer.$metadata });
		return answer.Body;
	};
	return {
		async put(key, body) {
			await s3Client().send(
				new PutObjectCommand({ Bucket: bucketName(env), Key: key, Body: body, ContentType: "application/json" }),
			);
		},
		async get(key, range) {
			const body = await get(key, range && `bytes=${range.start}-${range.end - 1}`);
			return body.transformToByteArray();
		},
		async stream(key, start) {
			return (await get(key, start > 0 ? `bytes=${start}-` : undefined)) as Readable;
		},
		async size(key) {
			try {
				const answer = await s3Client().send(new HeadObjectCommand({ Bucket: bucketName(env), Key: key }));
				return answer.ContentLength;
			} catch (error) {
				if (error instanceof NotFound || error instanceof NoSuchKey) return undefined;
				// Without the right to list the bucket, S3 answers 403 for an object that is not there.
				if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 403) return undefined;
				throw error;
			}
		},
		async presignPost(key, bytes, expiresSec) {
			const form = await createPresignedPost(s3Client(), {
				Bucket: bucketName(env),
				Key: key,
				Conditions: [["content-length-range", bytes, bytes]],
				Expires: expiresSec,
			});
			return { uploadUrl: form.url, fields: form.fields };
		},
	};
};
