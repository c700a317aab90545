//! What a server and its database spend.

use std::time::{Duration, Instant};

use postgres::NoTls;

use super::world::World;

/// Time spent so far, or in each second.
pub(super) struct Spent {
    at: Instant,
    /// In which PostgreSQL worked on statements.
    pub(super) database: f64,
    /// By the server, and by PostgreSQL.
    pub(super) processor: f64,
}

impl Spent {
    pub(super) fn of(world: &World) -> Result<Spent, String> {
        let database = match world.process.cluster.is_some() {
            false => 0.0,
            true => {
                let mut db =
                    postgres::Client::connect(&world.url, NoTls).map_err(|e| e.to_string())?;
                // What sessions have counted is told about once a second.
                std::thread::sleep(Duration::from_millis(1_500));
                let sql =
                    "SELECT active_time FROM pg_stat_database WHERE datname = current_database()";
                let row = db.query_one(sql, &[]).map_err(|e| e.to_string())?;
                row.get::<_, f64>(0) / 1e3
            }
        };
        Ok(Spent {
            at: Instant::now(),
            database,
            processor: world.process.cpu_seconds(),
        })
    }

    /// How much it was in each second since.
    pub(super) fn since(&self, before: &Spent) -> Spent {
        let took = self.at.duration_since(before.at).as_secs_f64();
        Spent {
            at: self.at,
            database: (self.database - before.database) / took,
            processor: (self.processor - before.processor) / took,
        }
    }
}
