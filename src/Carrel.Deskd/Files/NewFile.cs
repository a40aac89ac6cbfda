using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Carrel.Contracts;
using Carrel.Deskd.Http;
using Carrel.Deskd.Native;
using Microsoft.Win32.SafeHandles;

namespace Carrel.Deskd.Files;

/// <summary>
/// A file in the making: written beside its place under a name nobody looks for, and moved there in one step, so that
/// whoever reads finds the old contents or the new, never half. Gone when it is disposed before that.
/// </summary>
internal sealed class NewFile : IDisposable
{
    public const uint UsualMode = 0x1a4; // 0644
    private const int LeastWrite = 64 * 1024;
    private readonly PathHandle _folder;
    private readonly byte[] _draft;
    private readonly SafeFileHandle _file;
    private bool _inPlace;

    private NewFile(PathHandle folder, byte[] draft, SafeFileHandle file) => (_folder, _draft, _file) = (folder, draft, file);

    /// <summary>Null with the reason in errno.</summary>
    public static unsafe NewFile? Create(PathHandle folder)
    {
        var draft = Encoding.ASCII.GetBytes($".{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.part\0");
        fixed (byte* name = draft)
        {
            var fd = Libc.openat(folder.Fd, name, Libc.O_WRONLY | Libc.O_CREAT | Libc.O_EXCL | Libc.O_CLOEXEC | Libc.O_NOFOLLOW, 0x180);
            return fd < 0 ? null : new NewFile(folder, draft, new SafeFileHandle(fd, ownsHandle: true));
        }
    }

    /// <summary>Writes the request's body; null when all of it is there. A body that cannot be kept is read to its end all the same, so that the answer is.</summary>
    public async Task<Reply?> ReceiveAsync(Exchange exchange, string path)
    {
        if (exchange.Header("Content-Length") is { } length && long.Parse(length, CultureInfo.InvariantCulture) > _folder.Available())
        {
            return Reply.Error(507, ErrorCodes.DiskFull, $"writing {path}: {length} bytes are more than the disk has left");
        }

        var reader = exchange.OpenBodyPipe();
        var pieces = new List<ReadOnlyMemory<byte>>();
        Reply? problem = null;
        for (long at = 0; ;)
        {
            var read = await reader.ReadAtLeastAsync(LeastWrite, exchange.Aborted);
            if (problem is null && !read.Buffer.IsEmpty)
            {
                problem = Write(read.Buffer, pieces, at, path);
                at += read.Buffer.Length;
            }

            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return problem;
            }
        }
    }

    /// <summary>Gives it its mode and owner.</summary>
    public void Dress(uint mode, uint owner, uint group)
    {
        var fd = (int)_file.DangerousGetHandle();
        if (owner != 0 || group != 0)
        {
            _ = Libc.fchown(fd, owner, group); // On a file system without owners there is none to keep.
        }

        _ = Libc.fchmod(fd, mode);
    }

    /// <summary>Moves it to its place; 0 or errno.</summary>
    public int MoveTo(byte[] name, bool overwrite)
    {
        var errno = PathCalls.Rename(_folder.Fd, _draft, _folder.Fd, name, overwrite);
        _inPlace = errno == 0;
        return errno;
    }

    public FileStatus Status()
    {
        using var file = new Descriptor(Libc.dup((int)_file.DangerousGetHandle()));
        return FileStatus.Of(file) ?? throw Errno.Failed("looking at a new file");
    }

    public unsafe void Dispose()
    {
        _file.Dispose();
        if (!_inPlace)
        {
            fixed (byte* name = _draft)
            {
                _ = Libc.unlinkat(_folder.Fd, name, 0);
            }
        }
    }

    private Reply? Write(ReadOnlySequence<byte> bytes, List<ReadOnlyMemory<byte>> pieces, long at, string path)
    {
        pieces.Clear();
        foreach (var piece in bytes)
        {
            pieces.Add(piece);
        }

        try
        {
            RandomAccess.Write(_file, pieces, at);
            return null;
        }
        catch (IOException e)
        {
            return FileProblem.Of(e.HResult, $"writing {path}");
        }
    }
}
