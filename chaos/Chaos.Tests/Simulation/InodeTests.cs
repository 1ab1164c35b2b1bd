using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;
using FsCheck;
using FsCheck.Fluent;

namespace Chaos.Tests.Simulation;

/// <summary>The inode against the plainest model of a file: durable bytes, and a list of operations since.</summary>
public sealed class InodeTests
{
    [Fact]
    public void Any_sequence_of_operations_reads_and_survives_as_the_plain_model_says() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed => Play(new Prng((ulong)seed))).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    private static void Play(Prng prng)
    {
        var inode = new Inode();
        var model = new PlainFile();
        var flushes = new Queue<(Inode.FlushMark Mark, int Operations)>();
        for (var step = 0; step < 40; step++)
        {
            switch (prng.Below(12))
            {
                case < 5:
                    Write(inode.Length);
                    break;
                case 5:
                    Write(prng.Below(inode.Length + 3));
                    break;
                case 6:
                    var length = prng.Below(inode.Length + (prng.Chance(0.2) ? 300 : 3));       // now and then room is set aside
                    if (length != inode.Length) model.Apply(new Operation(length, null));
                    inode.Truncate(length);
                    break;
                case 7 or 8:
                    flushes.Enqueue((inode.StartFlush(), model.Total));
                    break;
                case 9 or 10 when flushes.Count > 0:
                    var (mark, operations) = flushes.Dequeue();
                    inode.EndFlush(mark);
                    model.Save(operations);
                    break;
                case 11 when prng.Chance(0.3):
                    flushes.Clear();
                    LosePower();
                    break;
                default:
                    break;
            }

            Assert.Equal(model.Current, Content(inode));
        }

        void Write(int position)
        {
            var bytes = Enumerable.Range(0, prng.Between(1, 5)).Select(_ => (byte)prng.Between(1, 255)).ToArray();
            model.Apply(new Operation(position, bytes));
            inode.Write(position, bytes);
        }

        void LosePower()
        {
            var tail = prng.Pick([UnsyncedTail.Lost, UnsyncedTail.Kept, UnsyncedTail.Prefix]);
            inode.LosePower(prng, tail);
            var survived = Content(inode);
            if (tail == UnsyncedTail.Lost) Assert.Equal(model.Durable, survived);
            else if (tail == UnsyncedTail.Kept) Assert.Equal(model.Current, survived);
            else Assert.Contains(model.TornStates(), state => state.AsSpan().SequenceEqual(survived));
            model.Restart(survived);
        }
    }

    private static byte[] Content(Inode inode)
    {
        var bytes = new byte[inode.Length];
        Assert.Equal(bytes.Length, inode.Read(0, bytes));
        return bytes;
    }

    /// <param name="Bytes">Null: a truncation to the position.</param>
    private sealed record Operation(int Position, byte[]? Bytes);

    private sealed class PlainFile
    {
        private readonly List<Operation> unsynced = [];
        private int saved;

        public byte[] Durable { get; private set; } = [];

        public byte[] Current => unsynced.Aggregate(Durable, After);

        /// <summary>Operations since the last power loss.</summary>
        public int Total => saved + unsynced.Count;

        public void Apply(Operation operation) => unsynced.Add(operation);

        public void Save(int operations)
        {
            for (; saved < operations; saved++)
            {
                Durable = After(Durable, unsynced[0]);
                unsynced.RemoveAt(0);
            }
        }

        public IEnumerable<byte[]> TornStates()
        {
            var state = Durable;
            yield return state;
            foreach (var operation in unsynced)
            {
                for (var cut = 1; cut < (operation.Bytes?.Length ?? 0); cut++) yield return After(state, operation with { Bytes = operation.Bytes![..cut] });
                state = After(state, operation);
                yield return state;
            }
        }

        public void Restart(byte[] survived)
        {
            (Durable, saved) = (survived, 0);
            unsynced.Clear();
        }

        private static byte[] After(byte[] before, Operation operation)
        {
            var length = operation.Bytes is { } bytes ? Math.Max(before.Length, operation.Position + bytes.Length) : operation.Position;
            var after = new byte[length];
            before.AsSpan(0, Math.Min(before.Length, length)).CopyTo(after);
            operation.Bytes?.CopyTo(after, operation.Position);
            return after;
        }
    }
}
