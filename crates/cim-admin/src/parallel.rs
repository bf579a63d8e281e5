//! Work shared out over the machine's processors, its results in the order of the work.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Result, bail};

/// Does `work` for each of `items`.
///
/// # Errors
/// Those of all items for which `work` fails, in their order; the first few of them.
pub fn each<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    all(done(items, work))
}

/// The results, or what all that failed say, a line each.
///
/// # Errors
/// As [`each`].
pub fn all<R>(results: Vec<Result<R>>) -> Result<Vec<R>> {
    let (mut good, mut wrong) = (Vec::with_capacity(results.len()), Vec::new());
    for result in results {
        match result {
            Ok(result) => good.push(result),
            Err(error) => wrong.push(error),
        }
    }
    match wrong.len() {
        0 => return Ok(good),
        1 => return Err(wrong.remove(0)),
        _ => {}
    }
    let more = wrong.len().saturating_sub(MOST);
    let said = wrong.iter().take(MOST).map(|error| format!("{error:#}"));
    let mut said: Vec<String> = said.collect();
    if more > 0 {
        said.push(format!("and {more} more"));
    }
    bail!(said.join("\n"))
}

/// People read no more messages than this.
const MOST: usize = 20;

fn done<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Vec<Result<R>> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let workers = workers.min(items.len() / WORTH_IT + 1);
    if workers == 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut own = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    own.push((index, work(item)));
                }
                let mut done = done.lock().unwrap_or_else(|broken| broken.into_inner());
                done.append(&mut own);
            });
        }
    });
    let mut done = done
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Fewer items than this are done before a thread has started.
const WORTH_IT: usize = 8;

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_work() {
        let items: Vec<u64> = (0..1000).collect();
        let squares = each(&items, |n| Ok(n * n)).unwrap();
        assert!(
            squares
                .iter()
                .zip(&items)
                .all(|(square, n)| *square == n * n)
        );
    }

    #[test]
    fn every_failure_is_told_but_no_flood() {
        let items: Vec<u64> = (0..1000).collect();
        let told = |every: u64| {
            let fails = |n: &u64| {
                ensure!(n % every != 7, "{n}");
                Ok(())
            };
            each(&items, fails).unwrap_err().to_string()
        };
        assert_eq!(told(1000), "7");
        assert_eq!(told(300), "7\n307\n607\n907");
        assert!(told(10).ends_with("\n197\nand 80 more"), "{}", told(10));
    }
}
