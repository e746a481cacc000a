/** A person at a browser, or a program with an admin key: what it sends with each request. */
export interface ApiClient {
  readonly cookie: string;
  readonly csrfToken: string;
  readonly request: (method: string, path: string, body?: unknown) => Promise<Response>;
}

export const FIRST_PERSON = {
  email: "ada@example.com",
  name: "Ada",
  password: "correct horse battery staple",
} as const;

const { email, password } = FIRST_PERSON;
export const CREDENTIALS = { email, password };

/** The cookies that an answer sets, as a browser sends them back. */
export const cookieOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "")
    .join("; ");

/** Goes on with the session that an answer has begun. */
export async function clientOf(url: string, response: Response): Promise<ApiClient> {
  const cookie = cookieOf(response);
  const { csrf_token: csrfToken } = (await response.json()) as { csrf_token: string };
  return {
    cookie,
    csrfToken,
    request: (method, path, body) =>
      fetch(url + path, {
        method,
        headers: {
          cookie,
          "x-csrf-token": csrfToken,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  };
}

export const postJson = (
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

interface Running {
  readonly url: string;
  readonly app: { readonly startup: { readonly setupToken?: string } };
}

/** Makes the first person of a new gateway, who is signed in then. */
export async function setUpGateway({ url, app }: Running): Promise<ApiClient> {
  const { setupToken: token } = app.startup;
  const response = await postJson(`${url}/api/setup`, { token, ...FIRST_PERSON });
  if (response.status !== 201) throw new Error(`setup: ${await response.text()}`);
  return clientOf(url, response);
}

export const signInAs = async (
  url: string,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<ApiClient> => clientOf(url, await postJson(`${url}/api/session`, { email, password }));
