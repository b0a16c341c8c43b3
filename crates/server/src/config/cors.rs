//! The origins whose pages may read the API.

use vestibule_http::{CorsOrigin, CorsOrigins};

use super::checker::Checker;

const PATH: &str = "cors.origins";

pub(super) fn cors_origins(texts: &[String], checker: &mut Checker) -> Vec<CorsOrigin> {
    const FIX: &str = "write each origin as a browser sends it, e.g. \"https://app.example.org\" or \"http://localhost:5173\"";
    let mut origins: Vec<CorsOrigin> = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(origin) => origins.push(origin),
            Err(error) => checker.problem(PATH, format!("`{}`: {error}", text.escape_debug()), FIX),
        }
    }
    if let Err(error) = CorsOrigins::new(origins.clone()) {
        checker.problem(PATH, error, "leave out those that are not needed");
    }
    origins
}

#[cfg(test)]
mod tests {
    use crate::config::Flags;
    use crate::config::environment::Environment;
    use crate::config::guards::refusals;
    use crate::config::settings::Config;

    fn load(origins: &str) -> Result<Config, String> {
        let pairs = [("VESTIBULE_CORS_ORIGINS".to_owned(), origins.to_owned())];
        let config = Config::load(&Flags::default(), &Environment(pairs.into_iter().collect()));
        config.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn origins_are_listed_one_by_one() {
        let config = load("https://app.example.org, http://localhost:5173").unwrap();
        let origins: Vec<_> = config.cors_origins.iter().map(ToString::to_string).collect();
        assert_eq!(origins, ["https://app.example.org", "http://localhost:5173"]);
        assert!(load("").unwrap().cors_origins.is_empty());
        for (origins, words) in [
            ("*", "would let every site read"),
            ("null", "sandboxed"),
            ("https://app.example.org/", "no slash"),
            ("https://app.example.org, https://App.example.org", "`https://App.example.org`: browsers send"),
            ("app.example.org", "begins with https://"),
            ("https://app.example.org:443", "browsers leave out"),
        ] {
            let refused = load(origins).map(drop).unwrap_err();
            assert!(refused.contains("VESTIBULE_CORS_ORIGINS") && refused.contains(words), "{refused}");
        }
        let many = (0..33).map(|at| format!("https://a{at}.example")).collect::<Vec<_>>().join(",");
        assert!(load(&many).map(drop).unwrap_err().contains("more than 32"));
    }

    #[test]
    fn plain_http_is_for_this_machine_and_for_development() {
        let told = |origins: &str, dev: bool| {
            let refused = refusals(&load(origins).unwrap(), dev);
            refused.iter().any(|problem| problem.to_string().contains("cors.origins"))
        };
        assert!(told("http://app.example.org", false));
        assert!(!told("http://app.example.org", true));
        for origins in ["http://localhost:5173", "http://127.0.0.1:3000", "https://app.example.org"] {
            assert!(!told(origins, false), "{origins}");
        }
    }
}
