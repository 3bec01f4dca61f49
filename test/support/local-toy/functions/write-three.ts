import { note } from "./things.ts";

export const handler = async (event: { pathParameters: { id: string } }) => {
	const { id } = event.pathParameters;
	for (const part of ["first", "second", "third"]) await note(`${id} ${part}`);
	return { statusCode: 204 };
};
