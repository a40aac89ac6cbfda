using System.Globalization;
using System.Text;
using Carrel.Contracts;
using Carrel.Machines.Cgroups;
using Carrel.Machines.Container;
using Carrel.Machines.Native;
using Carrel.Machines.Processes;

namespace Carrel.Machines.Views;

/// <summary>
/// The installation's one lxcfs process, which outlives the server as machines do. What guests read is answered by it and not
/// by them, so it has a CPU limit of its own: no guest can have the host work for it without end.
/// </summary>
internal sealed class Lxcfs(Folders folders, TimeProvider time)
{
    private const double MostCpus = 0.5;
    private const int Terminate = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string _mount = folders.Lxcfs;
    private readonly string _pidFile = folders.Lxcfs + ".pid";
    private readonly Cgroup _cgroup = new($"/carrel/{folders.Installation}.lxcfs");

    /// <summary>A living one; null where there is none that answers.</summary>
    internal Fd? Find()
    {
        if (!File.Exists(_pidFile) || !int.TryParse(File.ReadAllText(_pidFile), CultureInfo.InvariantCulture, out var pid))
        {
            return null;
        }

        var pidfd = Libc.PidfdOpen(pid);
        if (pidfd < 0)
        {
            return null;
        }

        // The pidfd first: afterwards the pid, if its command is ours, cannot have been reused in between.
        var process = new Fd(pidfd);
        if (IsOurs(pid) && Answers())
        {
            return process;
        }

        process.Dispose();
        return null;
    }

    /// <summary>Starts one after whatever is left of an earlier one has gone.</summary>
    internal async Task<Outcome<Fd>> StartAsync()
    {
        await StopAsync().ConfigureAwait(false);
        Directory.CreateDirectory(_mount);
        _cgroup.Create("cpu");
        _cgroup.SetCpus(MostCpus);

        // A session of its own, so that a signal from the terminal ends the server alone.
        var code = await ProcessRunner.RunSilentAsync(
            ["setsid", "--fork", "lxcfs", "--foreground", "--enable-cfs", $"--pidfile={_pidFile}", _mount]).ConfigureAwait(false);
        var started = time.GetTimestamp();
        for (var wait = 1; code == 0 && time.GetElapsedTime(started) < Patience; wait = Math.Min(wait * 2, 50))
        {
            if (Find() is { } process)
            {
                _cgroup.Admit("cpu", int.Parse(await File.ReadAllTextAsync(_pidFile).ConfigureAwait(false), CultureInfo.InvariantCulture));
                return process;
            }

            // A mount announces itself to nobody.
            await Task.Delay(TimeSpan.FromMilliseconds(wait), time).ConfigureAwait(false);
        }

        await StopAsync().ConfigureAwait(false);
        return new Failure(ErrorCodes.HostNotReady, $"lxcfs could not be started on {_mount}.", "Install the package lxcfs and run `carrel doctor`.");
    }

    /// <summary>Ends it and removes all it left; fine if some or all is gone.</summary>
    internal async Task StopAsync()
    {
        if (File.Exists(_pidFile) && int.TryParse(await File.ReadAllTextAsync(_pidFile).ConfigureAwait(false), CultureInfo.InvariantCulture, out var pid)
            && Libc.PidfdOpen(pid) is >= 0 and var pidfd)
        {
            using var process = new Fd(pidfd);
            if (IsOurs(pid))
            {
                _ = Libc.PidfdSendSignal(pidfd, Terminate);
                var ended = PidfdWatcher.Shared.EndOf(process);
                await Task.WhenAny(ended, Task.Delay(Patience, time)).ConfigureAwait(false);
                _ = Libc.PidfdSendSignal(pidfd, 9);
                await ended.ConfigureAwait(false);
            }
        }

        Mounts.Detach(_mount);
        if (Directory.Exists(_mount))
        {
            Directory.Delete(_mount);
        }

        File.Delete(_pidFile);
        await Teardown.RemoveCgroupAsync(_cgroup, time).ConfigureAwait(false);
    }

    private bool Answers() => File.Exists(_mount + ViewFiles.All[0]);

    private bool IsOurs(int pid)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{pid}/cmdline")).Split('\0').Contains(_mount);
        }
        catch (IOException)
        {
            return false; // It ended while we looked.
        }
    }
}
