//! All tests that need more than one crate, or the data in `vectors/`.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod client;
mod clients;
#[cfg(test)]
mod codec;
#[cfg(test)]
mod contexts;
#[cfg(test)]
mod forwarding;
#[cfg(test)]
mod fuzz_regression;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod model;
#[cfg(test)]
mod pair;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod red;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod schemes;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod server;
#[cfg(test)]
mod vectors;
