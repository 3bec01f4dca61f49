/** The deployment's definition cannot be brought up locally. Remedy: mend the file and place it names. */
export class TemplateError extends Error {
	override readonly name = "TemplateError";
}
