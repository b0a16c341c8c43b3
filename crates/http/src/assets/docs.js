const place = document.querySelector("#swagger-ui");

// The way people come: first what opens an account, and last what only operators need.
const ORDER = ["Sign-up", "Sign-in", "Account", "Ways in", "Administration", "Operations", "Pages"];
const rank = (tag) => (ORDER.indexOf(tag) + ORDER.length + 1) % (ORDER.length + 1);

// The theme that was chosen on our pages, or that of the system.
const { documentElement: root } = document;
const system = matchMedia("(prefers-color-scheme: dark)");
const paint = () => root.classList.toggle("dark-mode", root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
system.addEventListener("change", paint);
paint();

const ui = SwaggerUIBundle({
  url: "openapi.json",
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  tagsSorter: (one, other) => rank(one) - rank(other),
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  oauth2RedirectUrl: new URL("docs/signed-in", location).href,
  // Whoever signs in with a request of this page need not copy the token into the next one.
  responseInterceptor(response) {
    const { pathname } = new URL(response.url, location);
    if (response.ok && /\/v1\/(?!token$)/.test(pathname)) {
      const token = response.obj?.access_token;
      if (token) ui.preauthorizeApiKey("bearer", token);
    }
    return response;
  },
});
ui.initOAuth({
  clientId: place.dataset.client,
  scopes: ["openid", "profile", "email"],
  usePkceWithAuthorizationCodeGrant: true,
});
