using System.Runtime.InteropServices;
using Carrel.Contracts;
using Carrel.Deskd.Http;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Files;

/// <summary>What the kernel's refusals become.</summary>
internal static class FileProblem
{
    /// <summary>The last native call's errno as an answer.</summary>
    /// <param name="what">What was tried on which path, as "reading /root/x".</param>
    public static Reply Last(string what) => Of(Marshal.GetLastPInvokeError(), what);

    public static Reply Of(int errno, string what)
    {
        var (status, code) = errno switch
        {
            Libc.ENOENT => (404, ErrorCodes.NotFound),
            Libc.ENOTDIR => (409, ErrorCodes.NotADirectory),
            Libc.EISDIR => (409, ErrorCodes.IsADirectory),
            Libc.EEXIST => (409, ErrorCodes.AlreadyExists),
            Libc.ENOTEMPTY => (409, ErrorCodes.NotEmpty),
            Libc.ELOOP => (409, ErrorCodes.LinkLoop),
            Libc.EBUSY or Libc.ETXTBSY or Libc.EAGAIN => (409, ErrorCodes.Busy),
            Libc.EACCES or Libc.EPERM or Libc.EROFS => (403, ErrorCodes.AccessDenied),
            Libc.ENAMETOOLONG or Libc.EINVAL => (400, ErrorCodes.InvalidField),
            Libc.EFBIG => (413, ErrorCodes.PayloadTooLarge),
            Libc.ENOSPC or Libc.EDQUOT => (507, ErrorCodes.DiskFull),
            Libc.EMFILE or Libc.ENFILE or Libc.ENOMEM => (503, ErrorCodes.DesktopUnreachable),
            _ => (500, ErrorCodes.Internal),
        };
        return Reply.Error(status, code, $"{what}: {Marshal.GetPInvokeErrorMessage(errno)}");
    }

    public static Reply IsAFolder(string path) => Reply.Error(409, ErrorCodes.IsADirectory, $"{path} is a folder");

    public static Reply NotAFolder(string path) => Reply.Error(409, ErrorCodes.NotADirectory, $"{path} is not a folder");

    public static Reply NotAFile(string path, FileStatus status) =>
        Reply.Error(409, ErrorCodes.NotAFile, $"{path} is a {status.Type.Replace('_', ' ')}, which has no contents to read or write");

    public static Reply Exists(string path) => Reply.Error(409, ErrorCodes.AlreadyExists, $"{path} exists already");
}
