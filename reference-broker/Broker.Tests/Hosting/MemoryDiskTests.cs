using Broker.Hosting;
using Broker.Runtime;

namespace Broker.Tests.Hosting;

public sealed class MemoryDiskTests
{
    [Fact]
    public void Files_are_found_again_by_whoever_opens_them_next()
    {
        var disk = new MemoryDisk();
        using (var file = disk.Open("p-0/log"))
        {
            file.Write(0, [1, 2, 3, 4]);
            file.Write(6, [9]);
        }
        using var again = disk.Open("p-0/log");
        var bytes = new byte[10];
        Assert.Equal(7, again.Length);
        Assert.Equal(7, again.Read(0, bytes));
        Assert.Equal([1, 2, 3, 4, 0, 0, 9, 0, 0, 0], bytes);
        Assert.Equal(0, again.Read(7, bytes));
        Assert.Equal(0, again.Read(70, bytes));
    }

    [Fact]
    public void A_file_of_many_pieces_is_like_an_array()
    {
        var random = new Random(3);
        var (expected, length) = (new byte[300_000], 0);
        using var file = new MemoryDisk().Open("f");
        for (var step = 0; step < 400; step++)
        {
            if (random.Next(5) == 0)
            {
                length = random.Next(length + 1);
                file.Truncate(length);
                expected.AsSpan(length).Clear();
            }
            else
            {
                var part = new byte[random.Next(40_000)];
                random.NextBytes(part);
                var at = Math.Min(random.Next(length + 1000), expected.Length - part.Length);
                file.Write(at, part);
                part.CopyTo(expected, at);
                if (part.Length > 0) length = Math.Max(length, at + part.Length);
            }
            var read = new byte[expected.Length];
            Assert.Equal(length, file.Length);
            Assert.Equal(length, file.Read(0, read));
            Assert.Equal(expected, read);
        }
    }

    [Fact]
    public void Names_come_and_go_in_ordinal_order()
    {
        var disk = new MemoryDisk();
        Assert.Empty(disk.List("d"));
        foreach (var name in new[] { "d/b", "d/a", "d/B", "d/below/c", "dd/e" }) disk.Open(name).Dispose();
        Assert.Equal(["B", "a", "b"], disk.List("d"));
        disk.Rename("d/a", "d/b");
        Assert.Equal(["B", "b"], disk.List("d"));
        disk.Delete("d/B");
        Assert.False(disk.Exists("d/B"));
        Assert.Throws<DiskException>(() => disk.Rename("absent", "elsewhere"));
    }

    [Fact]
    public void Who_has_a_file_open_keeps_it_when_its_name_goes_to_another()
    {
        var disk = new MemoryDisk();
        using var old = disk.Open("f");
        old.Write(0, [1]);
        using (var aside = disk.Open("f.tmp")) aside.Write(0, [2, 2]);
        disk.Rename("f.tmp", "f");
        using var replaced = disk.Open("f");
        Assert.Equal((1, 2), (old.Length, replaced.Length));
    }
}
