// The API's reference, drawn by Swagger UI from the server's own schema. Nothing is loaded from elsewhere.

class Reference {
  #place;
  #isDark = matchMedia("(prefers-color-scheme: dark)");

  /** @param {HTMLElement} place has the address of the schema as data */
  constructor(place) {
    this.#place = place;
  }

  /** @param {any} draw Swagger UI */
  show(draw) {
    this.#follow();
    this.#isDark.addEventListener("change", () => this.#follow());
    draw({
      url: this.#place.dataset.schema,
      domNode: this.#place,
      deepLinking: true,
      docExpansion: "list",
      defaultModelsExpandDepth: 0,
      filter: true,
      supportedSubmitMethods: ["get"],
      validatorUrl: null,
    });
  }

  // Swagger UI is dark where the page has this class.
  #follow() {
    document.documentElement.classList.toggle("dark-mode", this.#isDark.matches);
  }
}

const place = document.getElementById("reference");
if (place) new Reference(place).show(Reflect.get(window, "SwaggerUIBundle"));
