//! UDP conversations gathered by the socket that was asked: one server, many clients.
//!
//! A UDP server reads from all its clients with one socket (RFC 768 knows no connections), so what it owes stands under
//! its address and port. Whoever received a conversation's first datagram is taken for the server.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use serde::Serialize;

use crate::flow::EndedExchange;
use crate::packet::Endpoint;
use crate::report::grid::Column;
use crate::report::grid::Grid;
use crate::report::json;
use crate::report::json::Address;
use crate::report::style::Style;
use crate::report::text;

/// Servers told apart; conversations with further ones are counted.
pub const MAX_SERVERS: usize = 1024;
/// Clients told apart for one server; further ones are counted by conversation.
pub const MAX_CLIENTS: usize = 256;

/// What was asked of each server.
#[derive(Debug, Default)]
pub struct Servers {
    servers: BTreeMap<Endpoint, Server>,
    left_out: u64,
}

#[derive(Debug, Default)]
struct Server {
    clients: Vec<Endpoint>,
    conversations: u64,
    requests: u64,
    answered: u64,
    unanswered: u64,
    refused: u64,
}

impl Servers {
    /// Adds a conversation that is over.
    pub fn add(&mut self, ended: &EndedExchange<'_>) {
        if self.servers.len() >= MAX_SERVERS && !self.servers.contains_key(&ended.b) {
            self.left_out += 1;
            return;
        }
        let (server, exchange) = (self.servers.entry(ended.b).or_default(), ended.exchange);
        server.conversations += 1;
        server.requests += exchange.packets[0];
        server.answered += exchange.pairs;
        server.unanswered += exchange.unanswered();
        server.refused += exchange.port_closed;
        if server.clients.len() < MAX_CLIENTS && !server.clients.contains(&ended.a) {
            server.clients.push(ended.a);
        }
    }

    /// A table of those with several clients, most clients first; nothing where there are none. At most `limit` rows, 0
    /// for all.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn Write, limit: usize, style: &Style) -> io::Result<()> {
        let mut shared: Vec<_> = self.servers.iter().filter(|(_, server)| server.clients.len() > 1).collect();
        if shared.is_empty() {
            return Ok(());
        }
        shared.sort_by_key(|(end, server)| (Reverse(server.clients.len()), **end));
        writeln!(out)?;
        let title = format!("UDP servers with several clients: {}", text::count(shared.len() as u64));
        writeln!(out, "{}", style.bold(title))?;
        let mut grid = Grid::new(&[
            Column::text("server"),
            Column::number("clients"),
            Column::number("requests"),
            Column::number("answered"),
            Column::number("unanswered"),
            Column::number("refused").spared(1),
            Column::text("first clients").spared(2),
        ]);
        let rows = if limit == 0 { shared.len() } else { limit };
        for (end, server) in shared.iter().take(rows) {
            let first: Vec<_> = server.clients.iter().take(LISTED).map(ToString::to_string).collect();
            let more = if server.clients.len() > LISTED { ", …" } else { "" };
            grid.row(vec![
                end.to_string(),
                server.clients(),
                text::count(server.requests),
                text::count(server.answered),
                text::count(server.unanswered),
                text::count(server.refused),
                format!("{}{more}", first.join(", ")),
            ]);
        }
        grid.write(out, style.width)?;
        let hidden = (shared.len() - shared.len().min(rows)) as u64;
        if hidden > 0 {
            writeln!(out, "… and {} more: --limit 0 shows all", text::count(hidden))?;
        }
        if self.left_out > 0 {
            writeln!(out, "{} conversations with yet other servers", text::count(self.left_out))?;
        }
        Ok(())
    }

    /// An object for each server, by address.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn objects(&self, out: &mut dyn Write, file: &str) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            r#type: &'static str,
            file: &'a str,
            server: Address,
            clients: usize,
            conversations: u64,
            requests: u64,
            answered: u64,
            unanswered: u64,
            port_closed: u64,
        }
        self.servers.iter().try_for_each(|(&end, server)| {
            let Server { ref clients, conversations, requests, answered, unanswered, refused } = *server;
            let (clients, port_closed) = (clients.len(), refused);
            let (r#type, server) = ("udp_server", end.into());
            json::line(
                out,
                &Line { r#type, file, server, clients, conversations, requests, answered, unanswered, port_closed },
            )
        })
    }
}

impl Server {
    fn clients(&self) -> String {
        let all = self.clients.len() < MAX_CLIENTS;
        format!("{}{}", if all { "" } else { "≥ " }, self.clients.len())
    }
}

/// Clients named in a row.
const LISTED: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::assert_fits;
    use crate::report::testing::watch;

    fn gathered(script: &str) -> (String, String) {
        let mut servers = Servers::default();
        watch(script, |_, _| {}, |_| {}, |ended| servers.add(ended));
        let (mut table, mut objects) = (Vec::new(), Vec::new());
        servers.write(&mut table, 0, &Style::plain(80)).expect("a vector takes everything");
        servers.objects(&mut objects, "f").expect("a vector takes everything");
        (String::from_utf8(table).expect("text"), String::from_utf8(objects).expect("text"))
    }

    const THREE: &str = r#"
        S = 10.0.0.2:53
        C = 10.0.0.1:40001
        +0.000 C > S udp "a"
        +0.001 S > C udp "b"
        C = 10.0.0.1:40002
        +0.000 C > S udp "a"
        C = 10.0.0.3:40001
        +0.000 C > S udp "a"
        +0.001 S > C icmp port-unreachable
    "#;

    #[test]
    fn one_socket_with_three_clients_is_one_row() {
        let (table, objects) = gathered(THREE);
        assert_eq!(
            table,
            "\nUDP servers with several clients: 1\n\
             server       clients  requests  answered  unanswered  refused\n\
             10.0.0.2:53        3         3         1           1        1\n"
        );
        assert_fits(&table, 80);
        let object: serde_json::Value = serde_json::from_str(&objects).expect("one object");
        assert_eq!((&object["clients"], &object["port_closed"]), (&3.into(), &1.into()));
    }

    #[test]
    fn a_server_with_one_client_needs_no_table() {
        let (table, objects) = gathered("S = 10.0.0.2:53\n+0 C > S udp \"a\"\n+0 C > S udp \"a\"");
        assert_eq!(table, "");
        assert_eq!(objects.lines().count(), 1);
    }

    #[test]
    fn servers_beyond_the_cap_are_counted_and_not_kept() {
        let mut script = String::new();
        for n in 0..=MAX_SERVERS {
            script.push_str(&format!("S = 10.0.{}.{}:53\n+0 C > S udp \"a\"\n", n / 250, n % 250 + 1));
        }
        let mut servers = Servers::default();
        watch(&script, |_, _| {}, |_| {}, |ended| servers.add(ended));
        assert_eq!((servers.servers.len(), servers.left_out), (MAX_SERVERS, 1));
    }
}
