//! Routes and their descriptions, declared once.
//!
//! The descriptions are a large part of the program's code. A server routes requests without running it: it runs only
//! when the description is requested.

use std::collections::BTreeMap;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::HttpMethod;

use crate::app::App;

/// The routes of one file.
pub(crate) struct Routes {
    routes: Vec<Route>,
    describe: fn() -> OpenApi,
}

/// One handler.
struct Route {
    path: String,
    methods: Vec<&'static str>,
    answer: MethodRouter<App>,
}

/// Lists the annotated handlers of a file.
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {
        pastey::paste! {{
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($($handler),+))]
            struct Described;
            $crate::describe::routes::Routes::new(<Described as utoipa::OpenApi>::openapi)
                $(.route::<[<__path_ $handler>], _, _>($handler))+
        }}
    };
}
pub(crate) use routes;

impl Routes {
    pub(crate) fn new(describe: fn() -> OpenApi) -> Self {
        Self { routes: Vec::new(), describe }
    }

    /// Adds a handler under the path and the methods of its annotation.
    pub(crate) fn route<P, H, T>(mut self, handler: H) -> Self
    where
        P: utoipa::Path,
        H: Handler<T, App>,
        T: 'static,
    {
        let of_path = P::methods();
        let filters = of_path.iter().map(filter).reduce(MethodFilter::or);
        let answer = filters.map(|filters| MethodRouter::new().on(filters, handler)).unwrap_or_default();
        let methods = of_path.iter().map(name).collect();
        self.routes.push(Route { path: P::path(), methods, answer });
        self
    }

    /// Routes for a server.
    pub(crate) fn add_to(self, router: Router<App>) -> Router<App> {
        self.routes.into_iter().fold(router, |router, route| router.route(&route.path, route.answer))
    }

    /// Their description.
    pub(crate) fn describe(&self) -> OpenApi {
        (self.describe)()
    }
}

/// The routes of one file.
pub(crate) type RoutesOf = fn() -> Routes;

/// The routes of some files alone, for a server, and which they are.
pub(crate) fn router_of(files: Vec<RoutesOf>) -> (Router<App>, RouteTable) {
    files.into_iter().fold((Router::new(), RouteTable::default()), |(router, mut table), of_file| {
        let routes = of_file();
        for route in &routes.routes {
            let methods = route.methods.iter().map(|method| (*method, routes.describe));
            table.0.entry(route.path.clone()).or_default().extend(methods);
        }
        (routes.add_to(router), table)
    })
}

/// The described paths, as templates, with the methods of each.
#[derive(Debug, Default)]
pub(crate) struct RouteTable(BTreeMap<String, Vec<Method>>);

/// Its name, and the description of the file it stands in.
type Method = (&'static str, fn() -> OpenApi);

impl RouteTable {
    /// The paths.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The methods of a path; `None` if it is not described.
    pub(crate) fn methods(&self, path: &str) -> Option<Vec<&'static str>> {
        self.0.get(path).map(|methods| methods.iter().map(|(method, _)| *method).collect())
    }

    /// The description of the file that a route stands in.
    pub(crate) fn describe(&self, method: &str, path: &str) -> Option<OpenApi> {
        let (_, describe) = self.0.get(path)?.iter().find(|(of_route, _)| *of_route == method)?;
        Some(describe())
    }
}

const fn name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Put => "PUT",
        HttpMethod::Post => "POST",
        HttpMethod::Delete => "DELETE",
        HttpMethod::Options => "OPTIONS",
        HttpMethod::Head => "HEAD",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Trace => "TRACE",
    }
}

fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}
