using System.Runtime.InteropServices;
using Carrel.Machines.Native;

namespace Carrel.Machines.Views;

/// <summary>Mounts files into a machine that runs, in its mount namespace, over those of the same path.</summary>
/// <remarks>
/// A thread that is in a guest's namespace must open nothing by name but what is meant: a library or assembly that the runtime
/// looks for there would be the guest's. So the thread does nothing else, has done the same once before in our own namespace,
/// so that all its code is loaded, throws nothing, and ends afterwards.
/// </remarks>
internal static unsafe class MachineMounts
{
    private const int CloneNewNs = 0x20000;
    private const int CloneFs = 0x200;
    private const int DetachNoFollow = 2 | 8;
    private const int OpenPath = 0x200000;

    private static readonly Lazy<bool> Rehearsed = new(() =>
    {
        using var self = new Fd(Errno.Check(Libc.PidfdOpen(Environment.ProcessId), "watch this process"));
        Run(self, [], []);
        return true;
    });

    /// <summary>Mounts each of <paramref name="files"/>, taken below <paramref name="source"/>, at the same path inside.</summary>
    /// <param name="init">The machine's first process.</param>
    internal static void Replace(Fd init, string source, IReadOnlyList<string> files)
    {
        _ = Rehearsed.Value;
        var trees = new List<Fd>();
        try
        {
            foreach (var file in files)
            {
                trees.Add(new Fd(Errno.Check(Libc.OpenTreeClone(source + file), $"copy the mount of {source}{file}")));
            }

            var errno = Run(init, trees, files);
            if (errno is not (0 or Errno.NoProcess))
            {
                throw new NativeException("mount lxcfs' files in a machine", errno);
            }
        }
        finally
        {
            trees.ForEach(tree => tree.Dispose());
        }
    }

    private static int Run(Fd init, IReadOnlyList<Fd> trees, IReadOnlyList<string> files)
    {
        var descriptors = trees.Select(tree => tree.Value).ToArray();
        var folders = files.Select(file => Libc.Terminated(file[..file.LastIndexOf('/')])).ToArray();
        var names = files.Select(file => Libc.Terminated(file[(file.LastIndexOf('/') + 1)..])).ToArray();
        var (pidfd, errno) = (init.Value, 0);
        var thread = new Thread(() => errno = Inside(pidfd, descriptors, folders, names)) { IsBackground = true };
        thread.Start();
        thread.Join();
        return errno;
    }

    private static int Inside(int pidfd, int[] trees, byte[][] folders, byte[][] names)
    {
        if (Libc.Unshare(CloneFs) < 0 || Libc.SetNamespace(pidfd, CloneNewNs) < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        for (var i = 0; i < trees.Length; i++)
        {
            fixed (byte* folder = folders[i], name = names[i])
            {
                // The folder is one of /proc's or /sys', whatever a guest may have made of the way there.
                var at = Libc.OpenAt(Libc.AtFdCwd, folder, Fd.Directory | Fd.NoFollow | Fd.CloseOnExec | OpenPath, 0);
                if (at < 0)
                {
                    return Marshal.GetLastPInvokeError();
                }

                var failed = !Libc.IsKernelFileSystem(at) || Libc.ChangeFolder(at) < 0;
                if (!failed)
                {
                    _ = Libc.UnmountAt(name, DetachNoFollow); // EINVAL: nothing was mounted there.
                    failed = Libc.MoveMountTo(trees[i], at, name) < 0;
                }

                var errno = failed ? Marshal.GetLastPInvokeError() : 0;
                _ = Libc.Close(at);
                if (failed)
                {
                    return errno == 0 ? Errno.Invalid : errno;
                }
            }
        }

        return 0;
    }
}
