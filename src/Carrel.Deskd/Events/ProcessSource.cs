using System.Globalization;
using Carrel.Contracts.Events;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Events;

/// <summary>
/// Processes as they come and go. The kernel's own process events are not to be had in a user namespace, so: (1) whoever
/// starts a dynamic program opens its loader and the loader's cache, of which inotify tells at once; (2) the kernel's last
/// process id then says which ids are new, without reading all of /proc; (3) a pidfd tells of each one's end. What starts
/// without opening those two, which is a static program or a fork, is found by looking four times a second at the last
/// process id alone.
/// </summary>
internal sealed class ProcessSource(DescriptorLoop loop, EventHub hub, TimeProvider time) : EventSource(EventCatalogue.ProcessStart, EventCatalogue.ProcessStop)
{
    /// <summary>The loader is opened before a process has its program's name, the cache after that.</summary>
    private static readonly string[] OpenedAtStart = ["/lib64/ld-linux-x86-64.so.2", "/etc/ld.so.cache"];

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a process must keep its name before it is told: between fork and exec it has its parent's.</summary>
    private static readonly TimeSpan NameStays = TimeSpan.FromMilliseconds(15);

    /// <summary>Ids that are looked at one by one; after more new ones than that, /proc is read.</summary>
    private const int MostNewIds = 512;

    /// <summary>Processes whose end is told at once; of others it is seen when /proc is read.</summary>
    private const int MostDescriptors = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, Seen> _seen = [];
    private readonly HashSet<int> _fresh = [];
    private readonly List<int> _unborn = [];
    private Inotify? _inotify;
    private ITimer? _look;
    private ITimer? _settle;
    private int _last;
    private int _lastRead;

    public override Task StartAsync()
    {
        lock (_gate)
        {
            _inotify = new Inotify();
            foreach (var path in OpenedAtStart)
            {
                // Without one of them, as on another Linux, the others and the look at the last id remain.
                _ = _inotify.Watch(path, Inotify.Open);
            }

            _look = time.CreateTimer(_ => Locked(LookAtAll), null, LookAgain, LookAgain);
            _settle = time.CreateTimer(_ => Locked(TellFresh), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _last = _lastRead = ProcessFiles.LastId();
            foreach (var pid in ProcessFiles.All())
            {
                Follow(pid);
            }

            loop.Add(_inotify.Fd, () => Locked(OnOpened));
        }

        return Task.CompletedTask;
    }

    public override Task StopAsync()
    {
        lock (_gate)
        {
            loop.Remove(_inotify!.Fd);
            _inotify.Dispose();
            _inotify = null;
            _look!.Dispose();
            _settle!.Dispose();
            foreach (var seen in _seen.Values)
            {
                Release(seen);
            }

            _seen.Clear();
            _fresh.Clear();
            _unborn.Clear();
        }

        return Task.CompletedTask;
    }

    private void Locked(Action action)
    {
        lock (_gate)
        {
            if (_inotify is not null)
            {
                action();
            }
        }
    }

    private void OnOpened()
    {
        foreach (var _ in _inotify!.Read())
        {
            // That something was opened is all there is to know.
        }

        LookAtNew();
        foreach (var pid in _fresh)
        {
            var seen = _seen[pid];
            if (ProcessFiles.Name(pid) is { } name && name != seen.Name)
            {
                _seen[pid] = seen with { Name = name, Since = time.GetTimestamp() };
            }
        }
    }

    private void LookAtNew()
    {
        var last = ProcessFiles.LastId();
        if (last < _last || last - _last > MostNewIds)
        {
            // The ids began anew, or too many are new.
            LookAtAll();
            return;
        }

        // An id is taken a moment before its process can be found; those are tried once more.
        foreach (var pid in _unborn.ToList())
        {
            _unborn.Remove(pid);
            _ = _seen.ContainsKey(pid) || Greet(pid);
        }

        for (var pid = _last + 1; pid <= last; pid++)
        {
            if (!_seen.ContainsKey(pid) && !Greet(pid))
            {
                _unborn.Add(pid);
            }
        }

        _last = last;
    }

    private void LookAtAll()
    {
        var last = ProcessFiles.LastId();
        if (last == _lastRead && _seen.Count < MostDescriptors)
        {
            return;
        }

        (_last, _lastRead) = (last, last);
        _unborn.Clear();
        var all = ProcessFiles.All().ToHashSet();
        foreach (var pid in all.Where(pid => !_seen.ContainsKey(pid)))
        {
            Greet(pid);
        }

        foreach (var (pid, seen) in _seen.Where(entry => entry.Value.Process is null && !all.Contains(entry.Key)).ToList())
        {
            OnEnded(pid, seen.Process);
        }
    }

    /// <summary>Takes note of a new process; false when there is none of that id, which may be a thread's.</summary>
    private bool Greet(int pid)
    {
        if (!Follow(pid))
        {
            return false;
        }

        if (_fresh.Count == 0)
        {
            _settle!.Change(NameStays, Timeout.InfiniteTimeSpan);
        }

        _fresh.Add(pid);
        return true;
    }

    private bool Follow(int pid)
    {
        Descriptor? process = null;
        if (_seen.Count < MostDescriptors)
        {
            // Only the id of a process has a pidfd; that of another thread has none.
            if (Libc.pidfd_open(pid, 0) is not (>= 0 and var fd))
            {
                return false;
            }

            process = new Descriptor(fd);
        }

        if (ProcessFiles.Name(pid) is not { } name)
        {
            process?.Dispose();
            return false;
        }

        _seen[pid] = new Seen(name, time.GetTimestamp(), process);
        if (process is not null)
        {
            loop.Add(process.Fd, () => Locked(() => OnEnded(pid, process)));
        }

        return true;
    }

    private void TellFresh()
    {
        var now = time.GetTimestamp();
        var next = TimeSpan.MaxValue;
        foreach (var pid in _fresh.ToList())
        {
            var left = NameStays - time.GetElapsedTime(_seen[pid].Since, now);
            if (left <= TimeSpan.Zero)
            {
                TellStart(pid);
            }
            else
            {
                next = left < next ? left : next;
            }
        }

        if (_fresh.Count > 0)
        {
            _settle!.Change(next + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        }
    }

    private void TellStart(int pid)
    {
        _fresh.Remove(pid);
        if (ProcessFiles.Name(pid) is { } name)
        {
            _seen[pid] = _seen[pid] with { Name = name };
        }

        Publish(EventCatalogue.ProcessStart, pid, _seen[pid].Name);
    }

    private void OnEnded(int pid, Descriptor? process)
    {
        if (!_seen.TryGetValue(pid, out var seen) || seen.Process != process)
        {
            return;
        }

        if (_fresh.Contains(pid))
        {
            TellStart(pid);
        }

        _seen.Remove(pid, out seen);
        Release(seen);
        Publish(EventCatalogue.ProcessStop, pid, seen.Name);
    }

    private void Release(Seen seen)
    {
        if (seen.Process is { } process)
        {
            loop.Remove(process.Fd);
            process.Dispose();
        }
    }

    private void Publish(string type, int pid, string name) => hub.Publish(type, json =>
    {
        json.WriteNumber("pid"u8, pid);
        json.WriteString("name"u8, name);
    });

    /// <param name="Since">When it was first seen with that name.</param>
    private readonly record struct Seen(string Name, long Since, Descriptor? Process);
}

/// <summary>What /proc says of processes, read with as little work as possible.</summary>
internal static class ProcessFiles
{
    private const int LongestShortName = 15;

    /// <summary>The id that was given out last in this namespace, to a process or a thread.</summary>
    public static int LastId()
    {
        Span<byte> bytes = stackalloc byte[128];
        var text = Read("/proc/loadavg", bytes).TrimEnd((byte)'\n');
        return int.Parse(text[(text.LastIndexOf((byte)' ') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture);
    }

    public static IEnumerable<int> All()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(folder.AsSpan("/proc/".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                yield return pid;
            }
        }
    }

    /// <summary>A process's name, or null when there is no such process. The kernel keeps 15 bytes of it; the rest is taken from its command line.</summary>
    public static string? Name(int pid)
    {
        Span<byte> bytes = stackalloc byte[512];
        var name = System.Text.Encoding.UTF8.GetString(Read($"/proc/{pid}/comm", bytes).TrimEnd((byte)'\n'));
        if (name.Length < LongestShortName)
        {
            return name.Length == 0 ? null : name;
        }

        var command = Read($"/proc/{pid}/cmdline", bytes);
        var end = command.IndexOf((byte)0);
        var program = System.Text.Encoding.UTF8.GetString(end < 0 ? command : command[..end]);
        var full = program[(program.LastIndexOf('/') + 1)..];
        return full.StartsWith(name, StringComparison.Ordinal) ? full : name;
    }

    private static unsafe ReadOnlySpan<byte> Read(string path, Span<byte> buffer)
    {
        var fd = Libc.open(path, Libc.O_RDONLY | Libc.O_CLOEXEC);
        if (fd < 0)
        {
            return [];
        }

        fixed (byte* bytes = buffer)
        {
            var read = (int)Libc.read(fd, bytes, buffer.Length);
            _ = Libc.close(fd);
            return buffer[..Math.Max(0, read)];
        }
    }
}
