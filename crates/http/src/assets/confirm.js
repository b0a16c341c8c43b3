// A link may carry its token after the `#`, where no server sees it: move it into the form.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
const field = document.querySelector("input[name=token]");
if (given && field && !field.value) {
  field.value = given;
  history.replaceState(null, "", location.pathname);
}
