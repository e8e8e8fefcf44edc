//! Systems that serve nobody: detectors, membership. They have nodes, and no clients.

use crate::protocol::{Client, ClientBoot, ClientCtx, Never, NodeId, Protocol};
use history::{Completion, Data, Function, Value};

/// The data of a system without clients: there is nothing to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {}

impl Data for Nothing {
    type Op = Never;
    type Ret = ();

    const NAME: &'static str = "nothing";
    const FUNCTIONS: &'static [Function] = &[];
    const KEYED: bool = false;

    fn make(_: usize, _: u32, _: Value, _: &Value) -> Never {
        unreachable!("it has no functions, and a load asks for functions only")
    }

    fn written(_: usize, _: u32, _: &[Value], _: &Value) -> Never {
        unreachable!("it has no functions, and a script asks for functions only")
    }

    fn function(op: &Never) -> usize {
        match *op {}
    }

    fn key(op: &Never) -> u32 {
        match *op {}
    }

    fn learnt(op: &Never, (): &()) -> Option<Value> {
        match *op {}
    }

    fn input(op: &Never) -> Value {
        match *op {}
    }

    fn completion(op: &Never, (): &()) -> Completion {
        match *op {}
    }
}

/// The client of a system that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nobody;

impl<P: Protocol<Data = Nothing>> Client<P> for Nobody {
    type Timer = Never;

    fn start(_: ClientBoot<'_, P>, _: &mut ClientCtx<'_, P>) -> Self {
        Nobody
    }

    fn on_reply(&mut self, _: NodeId, _: P::Reply, _: &mut ClientCtx<'_, P>) {}

    fn on_timer(&mut self, timer: Never, _: &mut ClientCtx<'_, P>) {
        match timer {}
    }
}
