#![doc = include_str!("../README.md")]

pub mod agreement;
pub mod coverage;
pub mod faulty;
pub mod interceptor;
pub mod interleaving;
pub mod limited;
pub mod linear;
pub mod programs;
pub mod random;
pub mod state;
pub mod strangers;
pub mod suite;
pub mod sweep;
pub mod transcript;
