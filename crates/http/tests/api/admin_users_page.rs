use vestibule::{Actor, AuditEvent, AuditKind, UserRef};

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

pub(crate) const ROOT: &str = "root@example.org";

/// The browser of an administrator who looks at the users.
pub(crate) async fn root(world: &World) -> Browser {
    world.has_admin(ROOT).await;
    let mut browser = Browser::signed_in(world, ROOT).await;
    assert_eq!(browser.get(world, "/admin/users").await.status, 200);
    browser
}

pub(crate) async fn id_of(world: &World, email: &str) -> String {
    let user = UserRef::Email(email.parse().unwrap());
    world.accounts.find_user(Actor::Operator, &user).await.unwrap().id.to_string()
}

/// The newest entry of this kind.
pub(crate) async fn entry(world: &World, kind: AuditKind) -> Option<AuditEvent> {
    world.accounts.audit_after(Actor::Operator, None, Some(kind)).await.unwrap().pop()
}

/// The pages and forms about users.
fn routes(id: &str) -> ([String; 2], Vec<String>) {
    let acts = ["disable", "enable", "reset-link", "sign-out", "clear-limits", "profile", "roles", "delete"];
    let forms = acts.map(|act| format!("/admin/users/{id}/{act}")).into_iter();
    (
        ["/admin/users".to_owned(), format!("/admin/users/{id}")],
        forms.chain(["/admin/users".to_owned()]).collect(),
    )
}

/// The addresses in the rows of the list.
fn listed(page: &Answer) -> Vec<String> {
    let rows = page.text.split("<tbody>").nth(1).unwrap_or_default().split("</tbody>").next().unwrap();
    rows.split("<bdi>").skip(1).filter_map(|rest| Some(rest.split_once("</bdi></a>")?.0.to_owned())).collect()
}

/// The address behind a link of the page.
fn link(page: &Answer, words: &str) -> Option<String> {
    let (before, _) = page.text.split_once(&format!(">{words}</a>"))?;
    let href = before.rsplit("<a ").next()?.split("href=\"").nth(1)?.split('"').next()?;
    Some(href.replace("&amp;", "&").replace("&#x2f;", "/"))
}

on_both_stores! {
    // O4
    async fn users_are_the_business_of_administrators(world: World) {
        root(&world).await;
        world.has_user(ADA, &["editor"]).await;
        let id = id_of(&world, ADA).await;
        let (pages, forms) = routes(&id);
        let mut ada = Browser::signed_in(&world, ADA).await;
        for path in &pages {
            let back = path.replace('/', "%2F");
            assert_eq!(Browser::default().get(&world, path).await.leads_to(), format!("/login?return_to={back}"));
            let page = ada.get(&world, path).await;
            assert!(page.status == 403 && page.text.contains("This is for administrators"), "{path} {}", page.text);
            ada.get(&world, "/account").await;
        }
        let fields = format!("email=eve@example.org&roles=admin&own_password={PASSWORD}&revision=x&user_name=countess");
        for path in &forms {
            let login = Browser::default().submit(&world, path, &fields).await;
            assert!(login.leads_to().starts_with("/login?said=unsaved&return_to=%2Fadmin%2Fusers"), "{path}");
            assert_eq!(ada.submit(&world, path, &fields).await.problem(), (403, "forbidden".to_owned()), "{path}");
        }
        let account = world.accounts.find_user(Actor::Operator, &UserRef::Id(id.parse().unwrap())).await.unwrap();
        assert_eq!((account.roles, account.user_name, account.disabled_at), (vec!["editor".to_owned()], None, None));
        assert!(entry(&world, AuditKind::Invited).await.is_none() && entry(&world, AuditKind::SignedOut).await.is_none());
        assert_eq!(ada.get(&world, "/account").await.status, 200);
    }

    async fn users_are_found(world: World) {
        let mut browser = root(&world).await;
        for email in ["ada@example.org", "adam@example.org", "bob@example.org"] {
            world.has_user(email, &["editor"]).await;
        }
        let adam = UserRef::Email("adam@example.org".parse().unwrap());
        world.accounts.disable_user(Actor::Operator, &adam, None).await.unwrap();
        let page = browser.get(&world, "/admin/users?q=&status=").await;
        assert!(page.text.contains("type=\"search\" value=\"\""), "{}", page.text);
        assert_eq!(listed(&page), ["bob@example.org", "adam@example.org", "ada@example.org", ROOT]);
        let page = browser.get(&world, "/admin/users?q=AD&lang=en&said=x").await;
        assert_eq!(listed(&page), ["adam@example.org", "ada@example.org"]);
        assert!(page.text.contains("name=\"q\" type=\"search\" value=\"AD\""), "{}", page.text);
        let page = browser.get(&world, "/admin/users?q=ad&status=disabled").await;
        assert_eq!(listed(&page), ["adam@example.org"]);
        assert!(page.text.contains("name=\"status\" value=\"disabled\"") && page.text.contains("<span class=\"dot off\">Disabled</span>"));
        assert!(page.text.contains("aria-current=\"page\">Disabled <span class=\"num\">1</span>"), "{}", page.text);
        assert!(page.text.contains("<h1>Users <span class=\"num\">4</span></h1>") && page.text.contains("Matching: 1"));
        assert_eq!(listed(&browser.get(&world, "/admin/users?q=xample&sort=email").await), ["ada@example.org", "adam@example.org", "bob@example.org", ROOT]);
        assert_eq!(listed(&browser.get(&world, "/admin/users?status=active&q=ad").await), ["ada@example.org"]);
        let page = browser.get(&world, "/admin/users?q=zoe").await;
        assert!(page.status == 200 && page.text.contains("No users match."), "{}", page.text);
        assert_eq!(link(&page, "Show all users").as_deref(), Some("/admin/users"));
        let hostile = browser.get(&world, "/admin/users?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await;
        assert!(hostile.status == 200 && !hostile.text.contains("<script>alert"), "{}", hostile.text);
    }

    async fn users_are_found_by_their_second_factor(world: World) {
        let mut browser = root(&world).await;
        world.has_account(ADA).await;
        world.adds_app(&world.access_token(ADA).await).await;
        let page = browser.get(&world, "/admin/users?q=&status=&second_factor=none").await;
        assert_eq!(listed(&page), [ROOT]);
        assert!(page.text.contains("value=\"none\" selected"), "{}", page.text);
        let page = browser.get(&world, "/admin/users?second_factor=any").await;
        assert_eq!(listed(&page), [ADA]);
        assert!(page.text.contains("value=\"any\" selected"), "{}", page.text);
        let page = browser.get(&world, "/admin/users?second_factor=").await;
        assert!(listed(&page).len() == 2 && !page.text.contains(" selected>With"), "{}", page.text);
    }

    async fn a_bad_filter_is_told(world: World) {
        let mut browser = root(&world).await;
        for (query, words) in [
            ("status=gone", "There is no such state."), ("second_factor=x", "There is no such choice."), ("q=%00", "This has a character"),
            ("limit=0", "1 to 200"), ("cursor=x", "not a page of this list"), ("x=y", "does not know"),
            ("role=X", "A role consists of"), ("sort=size", "cannot be sorted"), ("created_from=soon", "not a date"),
            ("last_sign_in=never&last_sign_in_before=2026-01-01", "Choose either"),
        ] {
            let page = browser.get(&world, &format!("/admin/users?{query}")).await;
            assert!(page.status == 422 && page.text.contains("role=\"alert\"") && page.text.contains(words), "{query} {}", page.text);
            assert_eq!(link(&page, "Show all users").as_deref(), Some("/admin/users"), "{query}");
        }
        for query in ["q=a&q=b", "q=%ff"] {
            let page = browser.get(&world, &format!("/admin/users?{query}")).await;
            assert!(page.status == 400 && page.text.contains("role=\"alert\""), "{query} {}", page.text);
        }
        for (query, field) in [("status=gone", "status"), ("sort=size", "sort"), ("created_from=soon", "created_from"), ("role=X", "role")] {
            let page = browser.get(&world, &format!("/admin/users?{query}")).await;
            assert!(page.text.contains(&format!("href=\"#{field}\"")) && page.text.contains(&format!("id=\"{field}\"")), "{query} {}", page.text);
        }
        assert!(browser.get(&world, "/admin/users?created_from=soon").await.text.contains("<details class=\"more\" open>"));
    }

    // Headings lead to the list sorted by them, with the same conditions; a second click turns it round.
    async fn users_are_sorted_by_their_headings(world: World) {
        let mut browser = root(&world).await;
        for email in ["zoe@example.org", "ada@example.org"] {
            world.has_user(email, &[]).await;
        }
        let page = browser.get(&world, "/admin/users?q=example").await;
        assert_eq!(listed(&page), ["ada@example.org", "zoe@example.org", ROOT]);
        assert!(page.text.contains("aria-sort=\"descending\""), "{}", page.text);
        let page = browser.get(&world, &link(&page, "User").unwrap()).await;
        assert_eq!(listed(&page), ["ada@example.org", ROOT, "zoe@example.org"]);
        assert!(page.text.contains("aria-sort=\"ascending\"") && page.text.contains("value=\"example\""), "{}", page.text);
        assert!(page.text.contains("name=\"sort\" value=\"email\""), "a search keeps the order");
        let page = browser.get(&world, &link(&page, "User").unwrap()).await;
        assert_eq!(listed(&page), ["zoe@example.org", ROOT, "ada@example.org"]);
        let page = browser.get(&world, &link(&page, "Last sign-in").unwrap()).await;
        assert_eq!(listed(&page)[0], ROOT, "whoever signed in last");
        assert_eq!(page.text.matches(">Never</td>").count(), 2, "{}", page.text);
        let page = browser.get(&world, &link(&page, "Created").unwrap()).await;
        assert_eq!(listed(&page), ["ada@example.org", "zoe@example.org", ROOT]);
    }

    async fn users_are_found_by_role_and_dates(world: World) {
        let mut browser = root(&world).await;
        world.has_user("eve@example.org", &["editor"]).await;
        assert_eq!(listed(&browser.get(&world, "/admin/users?role=editor&second_factor=").await), ["eve@example.org"]);
        let page = browser.get(&world, "/admin/users?last_sign_in=never&created_from=2020-01-01").await;
        assert_eq!(listed(&page), ["eve@example.org"]);
        assert!(page.text.contains("<details class=\"more\" open>") && page.text.contains("value=\"2020-01-01\"") && page.text.contains("value=\"never\" checked"));
        let none = browser.get(&world, "/admin/users?created_before=2020-01-01").await;
        assert!(listed(&none).is_empty() && none.text.contains("No users match."), "{}", none.text);
    }

    async fn fifty_users_are_a_page(world: World) {
        let mut browser = root(&world).await;
        for number in 0..52 {
            let roles: &[&str] = if number % 2 == 0 { &["editor", "author", "reviewer"] } else { &[] };
            world.has_user(&format!("a-rather-long-name.{number:02}@mail.example.org"), roles).await;
        }
        let first = browser.get(&world, "/admin/users").await;
        assert_eq!(listed(&first).len(), 50);
        assert!(first.text.len() < 40_000, "{}", first.text.len());
        assert_eq!(link(&first, "First page"), None);
        let second = browser.get(&world, &link(&first, "Next page").unwrap()).await;
        let last = ["a-rather-long-name.01", "a-rather-long-name.00"].map(|name| format!("{name}@mail.example.org"));
        assert_eq!(listed(&second), [&last[..], &[ROOT.to_owned()]].concat());
        assert_eq!(link(&second, "Next page"), None);
        assert_eq!(listed(&browser.get(&world, &link(&second, "First page").unwrap()).await), listed(&first));
        let one = browser.get(&world, "/admin/users?q=a-&limit=30").await;
        let two = browser.get(&world, &link(&one, "Next page").unwrap()).await;
        assert_eq!((listed(&one).len(), listed(&two).len()), (30, 22));
        assert!(two.text.contains("value=\"a-\""), "the filter goes along");
    }

    // ASVS 1.2.10; and whoever takes the list with them is in the trail.
    async fn the_list_is_exported_as_it_is_shown(world: World) {
        let mut browser = root(&world).await;
        world.has_user("ada@example.org", &["editor", "writer"]).await;
        world.has_user("=1+1@example.net", &[]).await;
        let page = browser.get(&world, "/admin/users?q=example&role=&sort=email").await;
        let path = link(&page, "Export").unwrap();
        assert_eq!(path, "/admin/users.csv?q=example&sort=email");
        let file = browser.get(&world, &path).await;
        assert_eq!((file.status, file.header("content-type")), (200, "text/csv; charset=utf-8"));
        assert_eq!(file.header("content-disposition"), "attachment; filename=\"users.csv\"");
        assert!(file.header("cache-control").contains("no-store"));
        let lines: Vec<&str> = file.text.split_terminator("\r\n").collect();
        assert!(lines[0].starts_with("id,email,user_name,"), "{}", lines[0]);
        assert!(lines[1].contains(",'=1+1@example.net,,,active,,,,"), "{}", lines[1]);
        assert!(lines[2].contains(",ada@example.org,,,active,editor writer,,,20"), "{}", lines[2]);
        assert!(lines[3].contains(",root@example.org,,,active,admin,,20") && lines.len() == 4, "{}", lines[3]);
        let noted = entry(&world, AuditKind::UsersExported).await.unwrap();
        assert_eq!((noted.detail.as_deref(), noted.actor.user().map(|id| id.to_string())), (Some("3 users, as CSV"), Some(id_of(&world, ROOT).await)));
        let bad = browser.get(&world, "/admin/users.csv?sort=size").await;
        assert_eq!(bad.status, 422, "{}", bad.text);
        let mut ada = Browser::signed_in(&world, ADA).await;
        assert_eq!(ada.get(&world, "/admin/users.csv").await.status, 403);
        assert_eq!(Browser::default().get(&world, "/admin/users.csv").await.leads_to(), "/login?return_to=%2Fadmin%2Fusers.csv");
    }

    // T3, S10
    async fn somebody_is_invited(world: World) {
        let mut browser = root(&world).await;
        let form = "email=eve@example.org&user_name=eve-1&locale=de&roles=&own_password=";
        assert_eq!(browser.submit(&world, "/admin/users", form).await.leads_to(), "/admin/users?said=invited");
        assert!(browser.get(&world, "/admin/users?said=invited").await.text.contains("The invitation is on its way."));
        let token = world.mailed_token("invitation", "eve@example.org").await;
        let mut eve = Browser::default();
        eve.get(&world, &format!("/invitation?token={token}")).await;
        let joined = eve.submit(&world, "/invitation", &format!("token={token}&password={PASSWORD}")).await;
        assert_eq!(joined.leads_to(), "/account?said=active");
        let account = world.accounts.find_user(Actor::Operator, &UserRef::Email("eve@example.org".parse().unwrap())).await.unwrap();
        assert_eq!((account.user_name.unwrap().as_str(), account.locale.as_deref(), account.roles), ("eve-1", Some("de"), vec![]));
        assert_eq!(entry(&world, AuditKind::Invited).await.unwrap().actor.user().unwrap().to_string(), id_of(&world, ROOT).await);
    }

    // O4: an invitation must not be the way around the password that a change of roles asks for.
    async fn an_invitation_with_roles_needs_the_own_password(world: World) {
        let mut browser = root(&world).await;
        world.clock.advance(std::time::Duration::from_hours(1));
        for (given, words) in [("", "Fill this in."), ("not-the-password", "That’s not your password."), ("x", "That’s not your password.")] {
            let form = format!("email=eve@example.org&roles=admin,editor+author&own_password={given}");
            let page = browser.submit(&world, "/admin/users", &form).await;
            assert!(page.status == 422 && page.text.contains("href=\"#invite-own_password\"") && page.text.contains(words), "{}", page.text);
            assert!(page.text.contains("value=\"eve@example.org\"") && page.text.contains("value=\"admin,editor author\""));
            assert!(page.text.contains(ROOT), "the list is there, too");
        }
        assert!(entry(&world, AuditKind::Invited).await.is_none());
        let form = format!("email=eve@example.org&roles=admin,editor+author&own_password={PASSWORD}");
        assert_eq!(browser.submit(&world, "/admin/users", &form).await.leads_to(), "/admin/users?said=invited");
        assert_eq!(entry(&world, AuditKind::Invited).await.unwrap().detail.as_deref(), Some("roles: [admin author editor]"));
    }

    async fn a_wrong_invitation_is_told(world: World) {
        let mut browser = root(&world).await;
        world.has_account(ADA).await;
        for (form, status, field) in [
            ("email=", 422, "email"), ("email=x", 422, "email"), ("email=ada@example.org", 409, "email"),
            ("email=eve@example.org&user_name=a+b", 422, "user_name"), ("email=eve@example.org&roles=ok,No", 422, "roles"),
            ("email=eve@example.org&roles=a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q", 422, "roles"),
        ] {
            let page = browser.submit(&world, "/admin/users", form).await;
            assert!(page.status == status && page.text.contains(&format!("href=\"#invite-{field}\"")), "{form} {}", page.text);
        }
        assert_eq!(browser.submit(&world, "/admin/users", "email=eve@example.org&locale=%3Cx").await.status, 422);
        assert!(entry(&world, AuditKind::Invited).await.is_none());
    }
}
