// The link carries its key after the `#`, where no server sees it: move it into the form.
const given = new URLSearchParams(location.hash.slice(1)).get("k");
const field = document.querySelector("input[name=token]");
if (given && field && !field.value) {
  field.value = given;
  history.replaceState(null, "", location.pathname);
}
