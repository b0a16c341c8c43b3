const place = document.querySelector("#swagger-ui");

const ui = SwaggerUIBundle({
  url: "openapi.json",
  domNode: place,
  deepLinking: true,
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
