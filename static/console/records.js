// Django's field with two lists names a mere mark: programs that read a page to
// people accept a name only on what has a role.
window.addEventListener("load", () => {
  for (const mark of document.querySelectorAll("span.help-tooltip[aria-label]")) {
    mark.setAttribute("role", "img");
  }
});
