//! Tests of the program as a process.

#[cfg(test)]
mod campaigns;
#[cfg(test)]
mod client;
#[cfg(test)]
#[cfg(unix)]
mod clients;
#[cfg(test)]
#[cfg(unix)]
mod codecs;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod controlled;
#[cfg(test)]
mod decode;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod measured;
#[cfg(test)]
mod misbehaving;
#[cfg(test)]
mod patience;
#[cfg(test)]
#[cfg(unix)]
mod pipes;
#[cfg(test)]
#[cfg(feature = "provisioning")]
mod provisioning;
#[cfg(test)]
mod relays;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod schemes;
#[cfg(test)]
mod stdio;
#[cfg(test)]
mod timed;
#[cfg(test)]
mod tls;
