//! The classic BPF machine, for filters on files: the same programs that the kernel runs on live frames.
//!
//! A program is checked once, so that running it needs no check but that of the frame's length: every jump goes ahead and
//! stays inside, every memory cell exists, no constant divides by zero. Whatever lies behind the captured octets rejects
//! the frame, as in the kernel; `len` is the length on the wire, also of a frame that was cut.

/// One instruction as compilers write it and the kernel takes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Instruction {
    pub(super) code: u16,
    /// Instructions to skip where a jump's condition holds.
    pub(super) jt: u8,
    /// … and where it does not.
    pub(super) jf: u8,
    pub(super) k: u32,
}

/// A program that can be run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Program(Box<[Op]>);

/// An instruction in words; jumps name the instruction to go on with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Op {
    Load(Width, u32),
    LoadBehindX(Width, u32),
    LoadConst(u32),
    LoadLen,
    LoadCell(usize),
    LoadXConst(u32),
    LoadXLen,
    LoadXCell(usize),
    /// Four times the low half of an octet: the length of an IPv4 header.
    LoadXHeaderLen(u32),
    Store(usize),
    StoreX(usize),
    Compute(Arithmetic, Operand),
    Negate,
    Goto(usize),
    Branch {
        test: Test,
        with: Operand,
        yes: usize,
        no: usize,
    },
    Return(u32),
    ReturnA,
    AToX,
    XToA,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Width {
    Byte,
    Half,
    Word,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operand {
    K(u32),
    X,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Or,
    And,
    Xor,
    Left,
    Right,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Test {
    Equal,
    Greater,
    GreaterOrEqual,
    AnyBit,
}

impl Program {
    /// Takes a program in; `None` where it is none that ends, or leaves the machine.
    pub(super) fn checked(instructions: &[Instruction]) -> Option<Self> {
        let last = instructions.last()?;
        if class(last.code) != RETURN {
            return None;
        }
        let ops = instructions.iter().enumerate().map(|(at, instruction)| op(*instruction, at, instructions.len()));
        ops.collect::<Option<_>>().map(Self)
    }

    /// Whether a frame of `len` octets on the wire passes, of which `bytes` were captured.
    pub(super) fn passes(&self, bytes: &[u8], len: u32) -> bool {
        self.run(bytes, len).is_some_and(|octets| octets != 0)
    }

    /// The value returned; `None` where an octet is missing or zero divides.
    fn run(&self, bytes: &[u8], len: u32) -> Option<u32> {
        let (mut a, mut x, mut pc) = (0_u32, 0_u32, 0);
        let mut cells = [0_u32; CELLS];
        loop {
            let op = self.0[pc];
            pc += 1;
            match op {
                Op::Load(width, at) => a = load(bytes, width, at as usize)?,
                Op::LoadBehindX(width, at) => a = load(bytes, width, (x as usize).checked_add(at as usize)?)?,
                Op::LoadConst(k) => a = k,
                Op::LoadLen => a = len,
                Op::LoadCell(cell) => a = cells[cell],
                Op::LoadXConst(k) => x = k,
                Op::LoadXLen => x = len,
                Op::LoadXCell(cell) => x = cells[cell],
                Op::LoadXHeaderLen(at) => x = 4 * (load(bytes, Width::Byte, at as usize)? & 0xf),
                Op::Store(cell) => cells[cell] = a,
                Op::StoreX(cell) => cells[cell] = x,
                Op::Compute(arithmetic, operand) => a = arithmetic.apply(a, operand.value(x))?,
                Op::Negate => a = a.wrapping_neg(),
                Op::Goto(target) => pc = target,
                Op::Branch { test, with, yes, no } => pc = if test.holds(a, with.value(x)) { yes } else { no },
                Op::Return(k) => return Some(k),
                Op::ReturnA => return Some(a),
                Op::AToX => x = a,
                Op::XToA => a = x,
            }
        }
    }
}

impl Operand {
    const fn value(self, x: u32) -> u32 {
        match self {
            Self::K(k) => k,
            Self::X => x,
        }
    }
}

impl Arithmetic {
    fn apply(self, a: u32, b: u32) -> Option<u32> {
        Some(match self {
            Self::Add => a.wrapping_add(b),
            Self::Sub => a.wrapping_sub(b),
            Self::Mul => a.wrapping_mul(b),
            Self::Div => a.checked_div(b)?,
            Self::Mod => a.checked_rem(b)?,
            Self::Or => a | b,
            Self::And => a & b,
            Self::Xor => a ^ b,
            Self::Left => a.checked_shl(b).unwrap_or(0),
            Self::Right => a.checked_shr(b).unwrap_or(0),
        })
    }
}

impl Test {
    const fn holds(self, a: u32, b: u32) -> bool {
        match self {
            Self::Equal => a == b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
            Self::AnyBit => a & b != 0,
        }
    }
}

fn load(bytes: &[u8], width: Width, at: usize) -> Option<u32> {
    let behind = bytes.get(at..)?;
    Some(match width {
        Width::Byte => u32::from(*behind.first()?),
        Width::Half => u32::from(u16::from_be_bytes(*behind.first_chunk()?)),
        Width::Word => u32::from_be_bytes(*behind.first_chunk()?),
    })
}

/// One instruction of a program of `count`, at `at`.
fn op(Instruction { code, jt, jf, k }: Instruction, at: usize, count: usize) -> Option<Op> {
    let cell = || Some(k as usize).filter(|&cell| cell < CELLS);
    // The last instruction returns, so there is always one behind a jump.
    let target = |skip: usize| (at + 1).checked_add(skip).filter(|&target| target < count);
    let operand = if code & SOURCE_X == 0 { Operand::K(k) } else { Operand::X };
    Some(match (class(code), code & MODE) {
        (LOAD, ABSOLUTE) => Op::Load(width(code)?, k),
        (LOAD, INDIRECT) => Op::LoadBehindX(width(code)?, k),
        (LOAD, IMMEDIATE) => Op::LoadConst(k),
        (LOAD, LENGTH) => Op::LoadLen,
        (LOAD, MEMORY) => Op::LoadCell(cell()?),
        (LOAD_X, IMMEDIATE) => Op::LoadXConst(k),
        (LOAD_X, LENGTH) => Op::LoadXLen,
        (LOAD_X, MEMORY) => Op::LoadXCell(cell()?),
        (LOAD_X, HEADER_LEN) => Op::LoadXHeaderLen(k),
        (STORE, _) => Op::Store(cell()?),
        (STORE_X, _) => Op::StoreX(cell()?),
        (COMPUTE, _) if code & OPERATION == NEGATE => Op::Negate,
        (COMPUTE, _) => Op::Compute(arithmetic(code, operand)?, operand),
        (JUMP, _) if code & OPERATION == GOTO => Op::Goto(target(k as usize)?),
        (JUMP, _) => {
            let (yes, no) = (target(usize::from(jt))?, target(usize::from(jf))?);
            Op::Branch { test: test(code)?, with: operand, yes, no }
        }
        (RETURN, _) if code & RETURN_A != 0 => Op::ReturnA,
        (RETURN, _) => Op::Return(k),
        (OTHER, _) if code & TO_A != 0 => Op::XToA,
        (OTHER, _) => Op::AToX,
        _ => return None,
    })
}

const fn class(code: u16) -> u16 {
    code & 0x07
}

const fn width(code: u16) -> Option<Width> {
    match code & 0x18 {
        0x00 => Some(Width::Word),
        0x08 => Some(Width::Half),
        0x10 => Some(Width::Byte),
        _ => None,
    }
}

fn arithmetic(code: u16, operand: Operand) -> Option<Arithmetic> {
    Some(match code & OPERATION {
        0x00 => Arithmetic::Add,
        0x10 => Arithmetic::Sub,
        0x20 => Arithmetic::Mul,
        0x30 | 0x90 if operand == Operand::K(0) => return None,
        0x30 => Arithmetic::Div,
        0x40 => Arithmetic::Or,
        0x50 => Arithmetic::And,
        0x60 => Arithmetic::Left,
        0x70 => Arithmetic::Right,
        0x90 => Arithmetic::Mod,
        0xa0 => Arithmetic::Xor,
        _ => return None,
    })
}

const fn test(code: u16) -> Option<Test> {
    match code & OPERATION {
        0x10 => Some(Test::Equal),
        0x20 => Some(Test::Greater),
        0x30 => Some(Test::GreaterOrEqual),
        0x40 => Some(Test::AnyBit),
        _ => None,
    }
}

/// Memory cells of the machine.
const CELLS: usize = 16;

const LOAD: u16 = 0x00;
const LOAD_X: u16 = 0x01;
const STORE: u16 = 0x02;
const STORE_X: u16 = 0x03;
const COMPUTE: u16 = 0x04;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;
const OTHER: u16 = 0x07;

const MODE: u16 = 0xe0;
const IMMEDIATE: u16 = 0x00;
const ABSOLUTE: u16 = 0x20;
const INDIRECT: u16 = 0x40;
const MEMORY: u16 = 0x60;
const LENGTH: u16 = 0x80;
const HEADER_LEN: u16 = 0xa0;

const OPERATION: u16 = 0xf0;
const NEGATE: u16 = 0x80;
const GOTO: u16 = 0x00;
const SOURCE_X: u16 = 0x08;
const RETURN_A: u16 = 0x10;
const TO_A: u16 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(code: u16, k: u32) -> Instruction {
        Instruction { code, jt: 0, jf: 0, k }
    }

    fn branch(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
        Instruction { code, jt, jf, k }
    }

    /// What a program returns for six octets of a frame of a hundred.
    fn result(program: &[Instruction]) -> Option<u32> {
        Program::checked(program).expect("a sound program").run(&[0x45, 1, 2, 3, 4, 5], 100)
    }

    #[test]
    fn loads_take_octets_in_network_order_and_none_behind_the_last() {
        let ret_a = plain(0x16, 0);
        assert_eq!(result(&[plain(0x30, 1), ret_a]), Some(1));
        assert_eq!(result(&[plain(0x28, 1), ret_a]), Some(0x0102));
        assert_eq!(result(&[plain(0x20, 2), ret_a]), Some(0x0203_0405));
        assert_eq!(result(&[plain(0x20, 3), ret_a]), None, "three octets are no word");
        assert_eq!(result(&[plain(0x30, u32::MAX), ret_a]), None);
        assert_eq!(result(&[plain(0x80, 0), ret_a]), Some(100), "the length on the wire");
        let behind_header = [plain(0xb1, 0), plain(0x87, 0), ret_a];
        assert_eq!(result(&behind_header), Some(20), "0x45: five words of header");
        let indirect = [plain(0x01, 3), plain(0x50, 1), ret_a];
        assert_eq!(result(&indirect), Some(4));
        let beyond = [plain(0x01, u32::MAX), plain(0x50, u32::MAX), ret_a];
        assert_eq!(result(&beyond), None, "an index never comes round");
    }

    #[test]
    fn arithmetic_wraps_shifts_out_and_ends_where_zero_divides() {
        let with = |operation: u16, b: u32| result(&[plain(0x00, 7), plain(0x04 | operation, b), plain(0x16, 0)]);
        let cases = [(0x00, 1, 8), (0x10, 8, u32::MAX), (0x20, 3, 21), (0x30, 2, 3), (0x90, 4, 3), (0x40, 8, 15)];
        for (operation, b, expected) in cases {
            assert_eq!(with(operation, b), Some(expected), "operation {operation:#x}");
        }
        for (operation, b, expected) in [(0x50, 6, 6), (0xa0, 6, 1), (0x60, 4, 112), (0x60, 32, 0), (0x70, 1, 3)] {
            assert_eq!(with(operation, b), Some(expected), "operation {operation:#x}");
        }
        assert_eq!(with(0x80, 0), Some(7_u32.wrapping_neg()));
        let by_x = [plain(0x00, 7), plain(0x3c, 0), plain(0x16, 0)];
        assert_eq!(result(&by_x), None, "X is 0 to begin with");
    }

    #[test]
    fn memory_and_jumps_do_what_they_say() {
        let swap = [plain(0x00, 5), plain(0x02, 15), plain(0x00, 0), plain(0x61, 15), plain(0x87, 0), plain(0x16, 0)];
        assert_eq!(result(&swap), Some(5));
        for (code, k, taken) in [(0x15, 7, true), (0x25, 7, false), (0x35, 7, true), (0x45, 8, false), (0x45, 1, true)]
        {
            let program = [plain(0x00, 7), branch(code, k, 0, 1), plain(0x06, 1), plain(0x06, 0)];
            assert_eq!(result(&program), Some(u32::from(taken)), "jump {code:#x}");
        }
        assert_eq!(result(&[plain(0x05, 1), plain(0x06, 1), plain(0x06, 2)]), Some(2));
    }

    #[test]
    fn a_program_that_could_leave_the_machine_is_refused() {
        let end = plain(0x06, 0);
        let bad: [&[Instruction]; 9] = [
            &[],
            &[plain(0x00, 0)],
            &[branch(0x15, 0, 1, 0), end],
            &[branch(0x15, 0, 0, 1), end],
            &[plain(0x05, 1), end],
            &[plain(0x05, u32::MAX), end],
            &[plain(0x02, 16), end],
            &[plain(0x34, 0), end],
            &[plain(0xff, 0), plain(0xf5, 0), end],
        ];
        for program in bad {
            assert_eq!(Program::checked(program), None, "{program:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_passes_the_check_runs_to_an_end_on_any_frame(
            raw in proptest::collection::vec((0..0x100_u16, 0..4_u8, 0..4_u8, 0..40_u32), 1..40),
            frame in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
        ) {
            let mut program: Vec<_> =
                raw.into_iter().map(|(code, jt, jf, k)| Instruction { code, jt, jf, k }).collect();
            program.push(plain(0x06, 1));
            program.retain(|one| Program::checked(&[*one, end(), end(), end(), end(), end()]).is_some());
            if let Some(program) = Program::checked(&program) {
                program.passes(&frame, frame.len() as u32);
            }
        }
    }

    fn end() -> Instruction {
        plain(0x06, 1)
    }
}
